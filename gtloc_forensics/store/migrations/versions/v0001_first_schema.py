"""The first schema: header, sources, results, examinations, findings, custody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the triggers that keep the custody chain append-only."""
    _cases_and_sources()
    _results()
    _examinations()
    _custody()


def _cases_and_sources() -> None:
    op.create_table(
        "case_header",
        sa.Column("id", sa.Integer, primary_key=True),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in (
                "case_number",
                "exhibit",
                "examiner",
                "agency",
                "legal_authority",
                "evidence_folder",
                "opened_utc",
            )
        ),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String, nullable=False, index=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("relative", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("stat", sa.String, nullable=False),
        sa.Column("sidecars", sa.String, nullable=False),
        sa.Column("acquired_utc", sa.String, nullable=False),
        sa.UniqueConstraint("source_id", "generation"),
    )
    op.create_index("source_sha256", "source", ["sha256"])
    op.create_table(
        "rejected",
        sa.Column("source_id", sa.String, primary_key=True),
        sa.Column("examination", sa.String, primary_key=True),
        sa.Column("relative", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("blocks", sa.Boolean, nullable=False),
    )


def _results() -> None:
    op.create_table(
        "result",
        sa.Column("subject", sa.String, primary_key=True),
        sa.Column("stage", sa.String, primary_key=True),
        sa.Column("fingerprint", sa.String, primary_key=True),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )


def _examinations() -> None:
    op.create_table(
        "examination",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.String, nullable=False, unique=True),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("stages", sa.String, nullable=False),
        sa.Column("finished_utc", sa.String, nullable=False),
    )
    op.create_table(
        "member",
        sa.Column("examination_id", sa.Integer, sa.ForeignKey("examination.id"), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("source_row", sa.Integer, sa.ForeignKey("source.id"), nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("sha256_at_end", sa.String, nullable=False),
        sa.Column("findings", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "finding",
        sa.Column("examination_id", sa.Integer, sa.ForeignKey("examination.id"), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("check_id", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("source_id", sa.String, nullable=False, index=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("finding_by_check", "finding", ["examination_id", "check_id", "outcome"])
    op.create_table(
        "examination_extra",
        sa.Column("examination_id", sa.Integer, sa.ForeignKey("examination.id"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )


def _custody() -> None:
    op.create_table(
        "custody",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("utc_time", "actor", "action", "subject", "detail", "previous_hash", "event_hash")
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER custody_no_{verb.lower()} BEFORE {verb} ON custody "
                "BEGIN SELECT RAISE(ABORT, 'the custody chain is append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION custody_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the custody chain is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER custody_no_change BEFORE UPDATE OR DELETE ON custody "
            "FOR EACH ROW EXECUTE FUNCTION custody_append_only()"
        )
        op.execute(
            "CREATE TRIGGER custody_no_truncate BEFORE TRUNCATE ON custody "
            "FOR EACH STATEMENT EXECUTE FUNCTION custody_append_only()"
        )
