"""What is agreed on is what pynetdicom would agree on, and its words are what pynetdicom reads."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import build_context, negotiate_as_acceptor

from medcxr.network.negotiation import (
    APPLICATION_CONTEXT,
    encoded_abort,
    encoded_acceptance,
    encoded_rejection,
    negotiated,
    read_request,
)

HEAD = 6  # bytes of a PDU's type and length
ABSTRACT = [f"1.2.840.10008.5.1.4.1.1.{number}" for number in range(1, 8)]
TRANSFER = [f"1.2.840.10008.1.2.{number}" for number in range(1, 6)]
SYNTAXES = st.dictionaries(
    st.sampled_from(ABSTRACT),
    st.lists(st.sampled_from(TRANSFER), min_size=1, unique=True).map(tuple),
)
ASKED = st.lists(
    st.tuples(
        st.sampled_from(ABSTRACT),
        st.lists(st.sampled_from(TRANSFER), min_size=1, unique=True),
    ),
    min_size=1,
    max_size=12,
)


def contexts(asked):
    found = [build_context(abstract, transfer) for abstract, transfer in asked]
    for number, one in enumerate(found):
        one.context_id = 2 * number + 1
    return found


def request(asked, *, called="NODE", calling="SENDER", longest=16384):
    """Return an A-ASSOCIATE-RQ as pynetdicom writes it, with a role that nobody answers."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = APPLICATION_CONTEXT
    primitive.called_ae_title, primitive.calling_ae_title = called, calling
    primitive.presentation_context_definition_list = contexts(asked)
    maximum = MaximumLengthNotification()
    maximum.maximum_length_received = longest
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = "2.25.5"
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = ABSTRACT[0], True, False
    primitive.user_information = [maximum, implementation, role]
    return A_ASSOCIATE_RQ(primitive).encode()


def decoded(kind, data):
    pdu = kind()
    pdu.decode(data)
    return pdu


@settings(max_examples=40)
@given(ASKED, SYNTAXES, st.integers(0, 2**32 - 1))
def test_what_is_agreed_on_is_what_pynetdicom_agrees_on(asked, supported, longest):
    sent = request(asked, longest=longest)
    read = read_request(sent[HEAD:])
    assert (read.called_title, read.calling_title) == ("NODE", "SENDER")
    assert (read.application_context, read.longest_pdu) == (APPLICATION_CONTEXT, longest)
    ours = encoded_acceptance(
        read, negotiated(read.contexts, supported), known=supported, longest_pdu=2**17
    )
    answer = decoded(A_ASSOCIATE_AC, ours).to_primitive()
    known = [build_context(abstract, list(transfer)) for abstract, transfer in supported.items()]
    expected, _ = negotiate_as_acceptor(contexts(asked), known)
    found = answer.presentation_context_definition_results_list
    assert [(one.context_id, one.result) for one in found] == [
        (one.context_id, one.result) for one in expected
    ]
    assert [one.transfer_syntax for one in found if one.result == 0] == [
        one.transfer_syntax for one in expected if one.result == 0
    ]
    assert (answer.called_ae_title, answer.calling_ae_title) == ("NODE", "SENDER")
    assert answer.maximum_length_received == 2**17
    assert len(ours) == HEAD + struct.unpack(">L", ours[2:6])[0]


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_request_is_refused_by_a_value_error_or_read(data):
    whole = bytearray(request([(ABSTRACT[0], TRANSFER[:2]), (ABSTRACT[1], TRANSFER)])[HEAD:])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        read = read_request(cut)
    except ValueError:
        return
    agreed = negotiated(read.contexts, {ABSTRACT[0]: tuple(TRANSFER)})
    assert encoded_acceptance(read, agreed, known=ABSTRACT, longest_pdu=2**17)[:1] == b"\x02"


def test_padding_that_some_senders_write_is_no_part_of_a_name():
    sent = request([(ABSTRACT[0], TRANSFER[:1])])[HEAD:]
    name = ABSTRACT[0].encode()
    item = struct.pack(">BxH", 0x30, len(name)) + name
    at = sent.index(item)
    padded = struct.pack(">BxH", 0x30, len(name) + 1) + name + b"\0"
    outer = at - 8  # the presentation context that holds it
    kind, length = struct.unpack_from(">BxH", sent, outer)
    assert kind == 0x20
    whole = sent[:outer] + struct.pack(">BxH", kind, length + 1) + sent[outer + 4 : at] + padded
    (context,) = read_request(whole + sent[at + len(item) :]).contexts
    assert (context.abstract_syntax, context.transfer_syntaxes) == (ABSTRACT[0], (TRANSFER[0],))


@pytest.mark.parametrize("numbers", [(1, 1), (2, 3)])
def test_contexts_that_cannot_be_told_apart_or_are_even_are_refused(numbers):
    sent = bytearray(request([(ABSTRACT[0], TRANSFER[:1]), (ABSTRACT[1], TRANSFER[:1])])[HEAD:])
    starts = [at for at in range(len(sent)) if sent[at : at + 1] == b"\x20" and sent[at + 2] == 0]
    found = [at for at in starts if sent[at + 4] in (1, 3) and sent[at + 8] == 0x30]
    assert len(found) == 2
    for at, number in zip(found, numbers, strict=True):
        sent[at + 4] = number
    with pytest.raises(ValueError, match="presentation context"):
        read_request(bytes(sent))


def test_a_rejection_and_an_abort_say_what_they_are_told():
    rejected = decoded(A_ASSOCIATE_RJ, encoded_rejection(2, 3, 2))
    assert (rejected.result, rejected.source, rejected.reason_diagnostic) == (2, 3, 2)
    aborted = decoded(A_ABORT_RQ, encoded_abort(2, 6))
    assert (aborted.source, aborted.reason_diagnostic) == (2, 6)
