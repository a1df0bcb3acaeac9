"""The orchestrator's own table: UOK writes `llm_task_outcomes` into a database of its own, and this
brings it beside the log. `sync` mirrors it, `adopt` takes its rows into the log instead, and
`install_view` gives that database the one view it lacks.

    source      the other database: opened read-only, read as one picture, known again
    rows        what a row of it must be
    staging     what was read, in temporary tables, before a lock of the log is taken
    mirroring, adopting, installing    the three things to do with it
    auditing    the marts over the mirror, computed again
"""

from model_outcomes.intake.uok.adoption import adopt
from model_outcomes.intake.uok.installation import install_view
from model_outcomes.intake.uok.mirror import sync
from model_outcomes.intake.uok.staging import SyncResult

__all__ = ["SyncResult", "adopt", "install_view", "sync"]
