"""The roster side of the Admin API as a table. Edit this file to add an endpoint or a field.

None of these has a history: each run takes a snapshot, and the raw tables keep how long a row
was as it was. `__` in a column name is nesting in the API's row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dlt.common.schema.typing import TColumnSchema

Columns = dict[str, TColumnSchema]

TEXT: TColumnSchema = {"data_type": "text"}
FLAG: TColumnSchema = {"data_type": "bool"}
TIMESTAMP: TColumnSchema = {"data_type": "timestamp"}
CENTS: TColumnSchema = {"data_type": "decimal", "precision": 38, "scale": 12}
LIST: TColumnSchema = {"data_type": "text", "description": "A JSON list."}


@dataclass(frozen=True, kw_only=True, eq=False)
class Roster:
    """One list of the Admin API and the raw table it fills.

    Attributes:
        table: Raw table and dlt resource name; a plural noun.
        path: Whole path from /v1/; `{id}` is that of each row of the table `for_each`.
        grain: What one row is, at any one time.
        key: Columns that identify a row within a snapshot.
        one_of: Columns of the key that may be null, all but one of them.
        columns: Raw columns with their types.
        older_names: Column of an older API edition -> the declared column it fills.
        left_out: Documented fields that are not kept, each with the reason.
        paging: By the ids of the rows, by an opaque cursor, or a single object.
        for_each: Table whose rows each have a list of these.
        of_spend_limits: Counts against the limit of the spend-limit endpoints, not the shared one.
    """

    table: str
    path: str
    grain: str
    key: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    columns: Columns
    older_names: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    paging: Literal["ids", "cursor", "none"]
    for_each: str | None = None
    of_spend_limits: bool = False


ROSTERS = (
    Roster(
        table="members",
        path="/v1/organizations/users",
        grain="One row per member of the organisation.",
        key=("id",),
        columns={
            "id": TEXT, "email": TEXT, "name": TEXT, "role": TEXT, "added_at": TIMESTAMP,
            "type": TEXT,
        },
        paging="ids",
    ),
    Roster(
        table="invites",
        path="/v1/organizations/invites",
        grain="One row per invite, whatever became of it.",
        key=("id",),
        columns={
            "id": TEXT, "email": TEXT, "role": TEXT, "status": TEXT, "invited_at": TIMESTAMP,
            "expires_at": TIMESTAMP, "accepted_at": TIMESTAMP, "rbac_group_ids": LIST,
            "type": TEXT,
        },
        paging="ids",
    ),
    Roster(
        table="rbac_groups",
        path="/v1/organizations/rbac_groups",
        grain="One row per group.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "source_type": TEXT, "role_ids": LIST,
            "created_at": TIMESTAMP, "updated_at": TIMESTAMP, "type": TEXT,
        },
        older_names={"roles": "role_ids"},
        paging="cursor",
    ),
    Roster(
        table="rbac_group_members",
        path="/v1/organizations/rbac_groups/{id}/members",
        grain="One row per group and member of it.",
        key=("rbac_group_id", "user_id"),
        columns={
            "rbac_group_id": TEXT, "user_id": TEXT, "email": TEXT, "created_at": TIMESTAMP,
            "type": TEXT,
        },
        older_names={"group_id": "rbac_group_id"},
        paging="cursor",
        for_each="rbac_groups",
    ),
    Roster(
        table="spend_limits",
        path="/v1/organizations/spend_limits/effective",
        grain="One row per member and period: the spend limit that counts for them.",
        key=("actor__type", "actor__user_id", "actor__scoped_api_key_id", "period"),
        one_of=("actor__user_id", "actor__scoped_api_key_id"),
        columns={
            "actor__type": TEXT, "actor__user_id": TEXT, "actor__scoped_api_key_id": TEXT,
            "actor__name": TEXT, "actor__email_address": TEXT, "actor__deleted": FLAG,
            "scope__type": TEXT, "scope__user_id": TEXT,
            "source__type": TEXT, "source__user_id": TEXT, "source__seat_tier": TEXT,
            "source__rbac_group_id": TEXT, "source__service": TEXT, "source__workspace_id": TEXT,
            "amount": CENTS, "currency": TEXT, "period": TEXT, "spend_limit_id": TEXT,
        },
        left_out={"period_to_date_spend": "It changes with every use; spend_daily has it by day."},
        paging="cursor",
        of_spend_limits=True,
    ),
    Roster(
        table="organizations",
        path="/v1/organizations/me",
        grain="One row: the organisation of the key.",
        key=("id",),
        columns={"id": TEXT, "name": TEXT, "type": TEXT},
        paging="none",
    ),
)  # fmt: skip
