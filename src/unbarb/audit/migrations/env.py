"""Runs the migrations on the connection it is given; see `unbarb.audit.database`."""

from __future__ import annotations

from alembic import context

from unbarb.audit.database import VERSIONS
from unbarb.audit.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSIONS,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
