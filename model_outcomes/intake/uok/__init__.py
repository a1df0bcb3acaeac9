"""The orchestrator's own table: UOK writes `llm_task_outcomes` into a database of its own.

`sync` mirrors the table in the log, `adopt` appends its rows to the log instead, and `install_view` creates a view in
that database.
"""

from model_outcomes.intake.uok.adoption import adopt
from model_outcomes.intake.uok.installation import install_view
from model_outcomes.intake.uok.mirror import sync
from model_outcomes.intake.uok.staging import SyncResult

__all__ = ["SyncResult", "adopt", "install_view", "sync"]
