"""Every service asks for permission: each call, by each role, is refused as the table says."""

import ast
import inspect
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import medcxr.services
from medcxr.core.access import ALLOWED, Actor, Door, Permission, Role
from medcxr.core.errors import AccessError
from medcxr.services.diagnostics import run_diagnostics
from medcxr.services.workspace import Workspace

P = Permission
CALLS = {
    "analysis.analyze_image": P.ANALYZE,
    "analysis.current_model": P.VIEW_MODELS,
    "analysis.current_rule": P.VIEW_MODELS,
    "anatomy_check.check_anatomy": P.MEASURE_MODELS,
    "audit.check_trail": P.VIEW_AUDIT,
    "audit.trail": P.VIEW_AUDIT,
    "audit_files.actors_of_trail": P.VIEW_AUDIT,
    "audit_files.export_trail": P.VIEW_AUDIT,
    "audit_files.verify_exported": P.VIEW_AUDIT,
    "audit_files.verify_trail": P.VIEW_AUDIT,
    "audit_files.write_trail": P.VIEW_AUDIT,
    "backup_restoring.forget_state": P.MANAGE_BACKUPS,
    "backup_restoring.go_back": P.MANAGE_BACKUPS,
    "backup_restoring.restore_backup": P.MANAGE_BACKUPS,
    "backup_schedule.make_due_backup": P.MANAGE_BACKUPS,
    "backup_schedule.set_backup_schedule": P.MANAGE_BACKUPS,
    "backups.delete_backup": P.MANAGE_BACKUPS,
    "backups.make_backup": P.MANAGE_BACKUPS,
    "backups.take_backup": P.MANAGE_BACKUPS,
    "case_export.export_cases": P.EXPORT_CASES,
    "case_export.note_case_exported": P.EXPORT_CASES,
    "case_export.note_cases_exported": P.EXPORT_CASES,
    "case_map.case_map": P.ANALYZE,
    "case_map.place_case": P.ANALYZE,
    "case_records.case": P.VIEW_CASES,
    "case_records.case_of_image": P.VIEW_CASES,
    "case_records.case_to_keep": P.ANALYZE,
    "case_records.cases": P.VIEW_CASES,
    "case_records.count_cases": P.VIEW_CASES,
    "case_records.delete_case": P.DELETE_CASES,
    "case_records.earlier_cases": P.VIEW_CASES,
    "case_records.forget_old_cases": P.DELETE_CASES,
    "case_records.give_verdict": P.JUDGE_CASES,
    "case_records.recent_cases": P.VIEW_CASES,
    "case_records.record_case": P.ANALYZE,
    "case_records.record_case_within": P.ANALYZE,
    "case_records.set_patient": P.JUDGE_CASES,
    "case_records.view_case": P.VIEW_CASES,
    "case_records.view_cases": P.VIEW_CASES,
    "case_set.simulated_cases": P.ANALYZE,
    "case_set.table_cases": P.ANALYZE,
    "deidentification.deidentify_files": P.EXPORT_CASES,
    "delivery.deliver_due": P.EXPORT_CASES,
    "delivery.forget_delivered": P.EXPORT_CASES,
    "delivery.give_up_old": P.EXPORT_CASES,
    "delivery.prepare_deliveries": P.EXPORT_CASES,
    "delivery.standings": P.VIEW_CASES,
    "dicomweb.fetch_studies": P.ANALYZE,
    "dicomweb.find_studies": P.ANALYZE,
    "dicomweb.poll": P.ANALYZE,
    "dicomweb.send_results": P.EXPORT_CASES,
    "explanation_check.check_explanations": P.MEASURE_MODELS,
    "gradient_maps.explain_by_gradients": P.ANALYZE,
    "held_out.held_out_scores": P.MEASURE_MODELS,
    "hospital_connection.hospital_connection": P.VIEW_CASES,
    "housekeeping.clean": P.CHANGE_SETTINGS,
    "housekeeping.removable": P.CHANGE_SETTINGS,
    "importance.measure_importance": P.MEASURE_MODELS,
    "importance.measure_importance_of": P.MEASURE_MODELS,
    "inbox.claim": P.ANALYZE,
    "inbox.counts": P.VIEW_CASES,
    "inbox.finish": P.ANALYZE,
    "inbox.forget_file": P.ANALYZE,
    "inbox.forget_received": P.DELETE_CASES,
    "inbox.lapse_claims": P.ANALYZE,
    "inbox.open_instance": P.ANALYZE,
    "inbox.receive": P.ANALYZE,
    "inbox.receive_many": P.ANALYZE,
    "inbox.release": P.ANALYZE,
    "inbox.renew": P.ANALYZE,
    "inbox.retry_failed": P.ANALYZE,
    "inbox.take_in_again": P.ANALYZE,
    "inbox.tell_received": P.ANALYZE,
    "key_rotation.rotate_key": P.CHANGE_SETTINGS,
    "kept_explanations.keep_report": P.MEASURE_MODELS,
    "kept_explanations.kept_report": P.VIEW_MODELS,
    "kept_importance.keep_importance_report": P.MEASURE_MODELS,
    "kept_importance.kept_importance": P.VIEW_MODELS,
    "loaded_model.bundle_named": P.VIEW_MODELS,
    "loaded_model.current_bundle": P.VIEW_MODELS,
    "loaded_model.current_predictor": P.VIEW_MODELS,
    "loaded_model.predictor_named": P.VIEW_MODELS,
    "model_choice.add_model": P.TRAIN_MODELS,
    "model_choice.choose_model": P.CHOOSE_MODELS,
    "model_choice.roll_back_model": P.CHOOSE_MODELS,
    "model_health.check_analysis": P.VIEW_DIAGNOSTICS,
    "model_health.check_current_model": P.VIEW_DIAGNOSTICS,
    "model_health.check_models": P.VIEW_DIAGNOSTICS,
    "node.node_status": P.VIEW_CASES,
    "node.run_node": P.ANALYZE,
    "node_reading.read_next": P.ANALYZE,
    "node_sorting.raise_waiting": P.ANALYZE,
    "node_sorting.sort_waiting": P.ANALYZE,
    "node_work.read_until": P.ANALYZE,
    "occlusion.explain_by_occlusion": P.ANALYZE,
    "occlusion.predictor_of": P.VIEW_MODELS,
    "prediction.predict_table": P.ANALYZE,
    "preferences.set_preferences": P.CHANGE_SETTINGS,
    "result_files.keep_result_files": P.ANALYZE,
    "result_files.remove_unneeded_results": P.ANALYZE,
    "result_files.result_path": P.ANALYZE,
    "runs.list_runs": P.VIEW_MODELS,
    "runs.run_figures": P.VIEW_MODELS,
    "scores_report.report_scores": P.MEASURE_MODELS,
    "shown_map.maps_of": P.ANALYZE,
    "standard_results.dicom_results": P.EXPORT_CASES,
    "standard_results.fhir_results": P.EXPORT_CASES,
    "system_state.system_state": P.VIEW_CASES,
    "throughput.throughput": P.VIEW_CASES,
    "tokens.list_tokens": P.MANAGE_USERS,
    "tokens.make_token": P.MANAGE_USERS,
    "tokens.revoke_token": P.MANAGE_USERS,
    "trained_model.beside_current": P.TRAIN_MODELS,
    "trained_model.put_in_use": P.CHOOSE_MODELS,
    "training.train_model": P.TRAIN_MODELS,
    "training_jobs.count_unreadable_jobs": P.TRAIN_MODELS,
    "training_jobs.find_job": P.TRAIN_MODELS,
    "training_jobs.list_jobs": P.TRAIN_MODELS,
    "training_jobs.resume_training": P.TRAIN_MODELS,
    "training_jobs.running_job": P.VIEW_MODELS,
    "training_jobs.start_recipe": P.TRAIN_MODELS,
    "training_jobs.start_training": P.TRAIN_MODELS,
    "training_jobs.stop_training": P.TRAIN_MODELS,
    "training_watch.watch_training": P.TRAIN_MODELS,
    "true_maps.draw_true_maps": P.ANALYZE,
    "users.add_first_user": P.MANAGE_USERS,
    "undelivered.discard_results": P.DELETE_CASES,
    "undelivered.retry_results": P.EXPORT_CASES,
    "undelivered.undelivered_results": P.VIEW_CASES,
    "users.add_user": P.MANAGE_USERS,
    "users.change_role": P.MANAGE_USERS,
    "users.end_user_sessions": P.MANAGE_USERS,
    "users.remove_second_factor_of": P.MANAGE_USERS,
    "users.reset_password": P.MANAGE_USERS,
    "users.set_active": P.MANAGE_USERS,
    "users.users": P.MANAGE_USERS,
    "validation_study.validate_model": P.MEASURE_MODELS,
    "watched_folder.watch": P.ANALYZE,
    "what_if.what_if": P.ANALYZE,
    "workspace_facts.workspace_places": P.VIEW_DIAGNOSTICS,
    "workspace_health.check_database": P.VIEW_DIAGNOSTICS,
    "workspace_health.check_password": P.VIEW_DIAGNOSTICS,
    "workspace_health.check_permissions": P.VIEW_DIAGNOSTICS,
    "workspace_health.check_trainings": P.VIEW_DIAGNOSTICS,
}
"""Service -> what it asks for, as its first step."""

OTHERWISE = {
    # what proves itself by a password or a session's token
    "accounts",
    "own_sessions",
    "second_factor",
    "second_factor_secret",
    "sessions",
    "sign_in_guard",
    "first_user",
    "tokens.use_token",
    # what the program does by itself, as an administrator has set it
    "housekeeping.clean_by_itself",
    # where received files lie, and what the node's operator has written
    "inbox.inbox_folder",
    "inbox_space.require_space",
    "node_settings.node_settings",
    # where backups and what was restored lie, and how often they are made
    "backup_files",
    "backup_restoring.earlier_states",
    "backup_schedule.backup_schedule",
    "unfinished_restore",
    "waiting_results",
    # steps of services above
    "analysis_trail",
    "key_rotation.keys_at_rest",
    "audit.note",
    "audit.note_alone",
    "audit.trail_keys",
    "claim_renewal",
    "database",
    "measuring_trail",
    "part_worker",
    "patients",
    "prediction_parts",
    "refusals",
    "row_scoring",
    "run_folders",
    "secret_keys",
    # where a received file lies, and what the operator has written of reading and delivering
    "inbox.instance_path",
    "node_plan",
    # whether a server may start, before anybody can sign in
    "safe_address",
    # how long a sign-in lasts must be known before anything is allowed
    "preferences.preferences",
}
"""What asks for no permission, and why."""


def public_calls():
    """Return the public functions of services whose first argument is a workspace."""
    folder = Path(medcxr.services.__file__).parent
    found = []
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                first = node.args.args[0] if node.args.args else None
                if first is not None and first.arg == "workspace":
                    found.append(f"{path.stem}.{node.name}")
    return found


def test_every_service_is_in_the_table_or_has_a_reason_not_to_be():
    named = {
        name
        for name in public_calls()
        if name not in OTHERWISE and name.partition(".")[0] not in OTHERWISE
    }
    assert named == set(CALLS)


@dataclass(frozen=True)
class Reached(Exception):  # noqa: N818 - no error
    """Permission was given: what comes after is tested elsewhere."""

    permission: Permission


class Stopping(Workspace):
    """A workspace that ends a call once its permission was given."""

    def require(self, permission):
        super().require(permission)
        raise Reached(permission)


def call(function, workspace):
    """Call a service; it must ask before it looks at anything but the workspace."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    named: dict[str, Any] = {}
    for one in parameters:
        if one.default is inspect.Parameter.empty:
            named[one.name] = None
    return function(workspace, **named)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", CALLS)
def test_a_role_is_refused_exactly_what_the_table_denies(tmp_path, name, role):
    module, _, function = name.partition(".")
    service = getattr(import_module(f"medcxr.services.{module}"), function)
    actor = Actor(name="somebody", role=role, door=Door.DASHBOARD)
    workspace = Stopping(folder=tmp_path, actor=actor)
    if CALLS[name] in ALLOWED[role]:
        with pytest.raises(Reached) as reached:
            call(service, workspace)
        assert reached.value.permission is CALLS[name]
    else:
        with pytest.raises(AccessError, match=CALLS[name].value):
            call(service, workspace)
    assert list(tmp_path.iterdir()) == []  # nothing was done before it was asked


@pytest.mark.parametrize("role", Role)
def test_the_checks_of_an_installation_are_for_administrators(tmp_path, role):
    actor = Actor(name="somebody", role=role, door=Door.DASHBOARD)
    if role is Role.ADMINISTRATOR:
        assert run_diagnostics(tmp_path / "new", actor=actor)
    else:
        with pytest.raises(AccessError):
            run_diagnostics(tmp_path / "new", actor=actor)
        assert not (tmp_path / "new").exists()


def test_a_service_does_not_ask_for_more_than_its_first_permission(tiny_workspace):
    """A clinician's whole way: whatever it calls within must be allowed too."""
    from medcxr.services.analysis import analyze_image
    from medcxr.services.case_records import give_verdict, record_case, set_patient, view_case
    from medcxr.services.system_state import system_state

    image = _radiograph()
    clinician = tiny_workspace.used_by(
        Actor(name="reader", role=Role.CLINICIAN, door=Door.DASHBOARD)
    )
    viewer = tiny_workspace.used_by(Actor(name="guest", role=Role.VIEWER, door=Door.DASHBOARD))
    record = record_case(clinician, analyze_image(clinician, image, gate=False), label="a.png")
    assert record is not None
    give_verdict(clinician, record.case_id, {}, "seen")
    set_patient(clinician, record.case_id, "somebody 7")
    assert view_case(viewer, record.case_id).opinion.given_by == "reader"
    assert system_state(viewer).n_cases == 1


def _radiograph():
    import io

    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    Image.fromarray(ramp).save(file, "PNG")
    return file.getvalue()
