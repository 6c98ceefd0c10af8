"""Commands are read and written as pynetdicom and pydicom do it."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.dsutils import decode, encode

from medcxr.network.dimse import Command, CommandField, Status, encoded_response, read_command

CLASS, INSTANCE = "1.2.840.10008.5.1.4.1.1.1.1", "2.25.12345"


def store_request(priority):
    primitive = C_STORE()
    primitive.MessageID = 7
    primitive.AffectedSOPClassUID = CLASS
    primitive.AffectedSOPInstanceUID = INSTANCE
    primitive.Priority = priority
    primitive.DataSet = BytesIO(b"\x08\x00")
    message = C_STORE_RQ()
    message.primitive_to_message(primitive)
    return encode(message.command_set, True, True)


@pytest.mark.parametrize(("priority", "is_urgent"), [(0, False), (1, True), (2, False)])
def test_a_store_request_of_pynetdicom_is_read(priority, is_urgent):
    assert read_command(store_request(priority)) == Command(
        kind=CommandField.C_STORE,
        message_id=7,
        has_data_set=True,
        sop_class_uid=CLASS,
        sop_instance_uid=INSTANCE,
        is_urgent=is_urgent,
    )


def test_an_echo_request_of_pynetdicom_is_read():
    primitive = C_ECHO()
    primitive.MessageID = 65535
    primitive.AffectedSOPClassUID = "1.2.840.10008.1.1"
    message = C_ECHO_RQ()
    message.primitive_to_message(primitive)
    found = read_command(encode(message.command_set, True, True))
    assert (found.kind, found.message_id, found.has_data_set) == (0x0030, 65535, False)


def test_a_response_is_what_pydicom_reads_of_it():
    command = read_command(store_request(0))
    words = "It could not be kept, and these words are longer than the sixty-four that it may have"
    found = decode(BytesIO(encoded_response(command, Status.OUT_OF_RESOURCES, words)), True, True)
    assert (found.CommandField, found.MessageIDBeingRespondedTo) == (0x8001, 7)
    assert (found.Status, found.CommandDataSetType) == (0xA700, 0x0101)
    assert (found.AffectedSOPClassUID, found.AffectedSOPInstanceUID) == (CLASS, INSTANCE)
    assert found.ErrorComment == words[:64]
    rest = encoded_response(command, Status.OUT_OF_RESOURCES, words)[12:]
    assert found.CommandGroupLength == len(rest)


@given(st.binary(max_size=200))
def test_what_is_no_command_is_a_value_error_and_nothing_else(data):
    try:
        found = read_command(data)
    except ValueError:
        return
    assert isinstance(found, Command)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_command_is_read_or_a_value_error(position, value):
    data = bytearray(store_request(0))
    data[position % len(data)] = value
    try:
        read_command(bytes(data))
    except ValueError:
        return
