"""The usage exports as a table; edit this file to add an entity, a column or a spelling of one."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa


class Cell(Enum):
    """What a cell holds, and how it is stored."""

    TEXT = "text"
    JSON = "json"
    DATE = "date"
    COUNT = "count"
    NUMBER = "number"
    BOOL = "bool"

    @property
    def arrow(self) -> pa.DataType:
        return {
            Cell.DATE: pa.date32(),
            Cell.COUNT: pa.int64(),
            Cell.NUMBER: pa.decimal128(38, 12),
            Cell.BOOL: pa.bool_(),
        }.get(self, pa.string())


TEXT, JSON, DATE, COUNT, NUMBER, BOOL = Cell

KEY = {"period_start": DATE, "period_end": DATE, "org_id": TEXT}
"""The columns of every export, beside its own."""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One kind of export and the raw table it fills: one row per entity and period.

    Attributes:
        table: Raw table.
        columns: Raw columns that an export may bring; what it lacks is null. Every other column
            is kept, in undeclared_fields.
        key: What tells rows of one period apart, where the export has it.
        marks: Columns by which a header is known; one of these sets has to be there completely.
        path: Below the base URL of the export API.
        groupings: Columns of which an export has one if it is grouped by it.
        aliases: Spellings that mean another column in this export than elsewhere.
        words: Column -> sets of words; a name that nothing else explains and that has all words of
            one is that column, the first that fits, if no other name would be it too.
        is_legacy: Organisations may be without it.
    """

    table: str
    columns: Mapping[str, Cell]
    key: tuple[str, ...]
    marks: tuple[frozenset[str], ...]
    path: str
    groupings: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_legacy: bool = False

    @property
    def all_columns(self) -> dict[str, Cell]:
        return {**KEY, **dict.fromkeys(self.groupings, TEXT), **self.columns}


def _marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split()) for names in sets)


TOKENS = {"sum_prompt_tokens": COUNT, "sum_completion_tokens": COUNT}

ENTITIES = (
    Entity(
        table="langdock_workflows",
        # The names of its columns are not published, only what they are about.
        columns={
            "workflow_id": TEXT,
            "workflow_name": TEXT,
            "workflow_owner_id": TEXT,
            "workflow_owner_email": TEXT,
            "runs": COUNT,
            "succeeded_runs": COUNT,
            "failed_runs": COUNT,
            "total_cost_usd": NUMBER,
            "limit_usd": NUMBER,
            "limit_utilization": NUMBER,
        },
        words={
            "workflow_owner_email": ("owner email",),
            "workflow_owner_id": ("owner id",),
            "limit_utilization": ("utilization", "utilisation"),
            "succeeded_runs": ("runs succeeded", "runs successful", "executions successful"),
            "failed_runs": ("runs failed", "executions failed"),
            "runs": ("runs", "run count", "executions", "execution count"),
            "limit_usd": ("limit", "cap"),
            "total_cost_usd": ("cost", "costs", "consumption"),
        },
        key=("workflow_id",),
        marks=_marks("workflow_id", "workflow_name"),
        path="/export/workflows/csv",
        is_legacy=True,
    ),
    Entity(
        table="langdock_agents",
        columns={
            "assistant_id": TEXT,
            "assistant_name": TEXT,
            "assistant_description": TEXT,
            "assistant_url": TEXT,
            "assistant_owner_id": TEXT,
            "assistant_owner_email": TEXT,
            "messages": COUNT,
            "unique_users": COUNT,
            "active_users": COUNT,
            "conversations": COUNT,
            "messages_per_user": NUMBER,
            **TOKENS,
            "avg_prompt_tokens": NUMBER,
            "min_prompt_tokens": COUNT,
            "max_prompt_tokens": COUNT,
            "avg_completion_tokens": NUMBER,
            "min_completion_tokens": COUNT,
            "max_completion_tokens": COUNT,
        },
        key=("assistant_id",),
        marks=_marks("assistant_id", "assistant_name"),
        path="/export/agents/csv",
        groupings=("model",),
    ),
    Entity(
        table="langdock_api_keys",
        columns={
            "api_key_id": TEXT,
            "api_key_name": TEXT,
            "requests": COUNT,
            "total_cost_usd": NUMBER,
            **TOKENS,
            "cached_prompt_tokens": COUNT,
            "cache_creation_tokens": COUNT,
            "no_cache_tokens": COUNT,
        },
        key=("api_key_id",),
        marks=_marks("api_key_id", "api_key_name"),
        path="/export/api-keys/csv",
        groupings=("model",),
    ),
    Entity(
        table="langdock_projects",
        columns={
            "project_id": TEXT,
            "project_name": TEXT,
            "project_owner_id": TEXT,
            "project_owner_email": TEXT,
            "messages": COUNT,
        },
        key=("project_id",),
        marks=_marks("project_id", "project_name"),
        path="/export/projects/csv",
    ),
    Entity(
        table="langdock_users",
        columns={
            "user_id": TEXT,
            "name": TEXT,
            "email": TEXT,
            "role": TEXT,
            "joined_at": DATE,
            "department": TEXT,
            "company_name": TEXT,
            "license_type": TEXT,
            "payg_limit_current": NUMBER,
            "payg_consumption_in_period": NUMBER,
            "payg_utilization_pct_current": NUMBER,
            "messages_total": COUNT,
            "messages_total_rank": COUNT,
            "messages_chat": COUNT,
            "messages_chat_rank": COUNT,
            "messages_assistants": COUNT,
            "messages_assistants_rank": COUNT,
            "assistants_messaged": COUNT,
            "assistants_to_messages": JSON,
            "messages_projects": COUNT,
            "messages_projects_rank": COUNT,
            "projects_messaged": COUNT,
            "projects_to_messages": JSON,
            "model_to_messages_total": JSON,
            "action_messages": COUNT,
            "action_messaged": COUNT,
            "action_to_messages": JSON,
            # With keys of one's own (BYOK); their names in this export are not confirmed.
            **TOKENS,
            "total_cost_usd": NUMBER,
        },
        key=("user_id",),
        marks=_marks("user_id", "email messages_total", "messages_total messages_chat"),
        path="/export/users/csv",
        groupings=("model",),
    ),
    Entity(
        table="langdock_models",
        columns={
            "name": TEXT,
            "provider": TEXT,
            "bring_your_keys": BOOL,
            "requests": COUNT,
            **TOKENS,
            "sum_cached_prompt_tokens": COUNT,
            "sum_cache_creation_tokens": COUNT,
            "no_cache_tokens": COUNT,
            "total_cost_usd": NUMBER,
        },
        key=("name", "provider", "bring_your_keys"),
        marks=_marks("name requests", "model requests"),
        path="/export/models/csv",
        groupings=("source", "deployment"),
        aliases={"model": "name"},
    ),
)

BY_TABLE = {entity.table: entity for entity in ENTITIES}

SPELLINGS = {
    "agent_id": "assistant_id",
    "agent_name": "assistant_name",
    "agent_description": "assistant_description",
    "agent_url": "assistant_url",
    "agent_owner_id": "assistant_owner_id",
    "agent_owner_email": "assistant_owner_email",
    "messages_agents": "messages_assistants",
    "messages_agents_rank": "messages_assistants_rank",
    "agents_messaged": "assistants_messaged",
    "agents_to_messages": "assistants_to_messages",
    "e_mail": "email",
    "email_address": "email",
    "workspace_id": "org_id",
    "organization_id": "org_id",
    "organisation_id": "org_id",
    "model_name": "model",
    # German headers
    "zeitraum_start": "period_start",
    "zeitraum_beginn": "period_start",
    "zeitraum_anfang": "period_start",
    "zeitraum_von": "period_start",
    "startdatum": "period_start",
    "zeitraum_ende": "period_end",
    "zeitraum_bis": "period_end",
    "enddatum": "period_end",
    "organisations_id": "org_id",
    "organisation": "org_id",
    "arbeitsbereich_id": "org_id",
    "nutzer_id": "user_id",
    "benutzer_id": "user_id",
    "e_mail_adresse": "email",
    "rolle": "role",
    "beigetreten_am": "joined_at",
    "beitrittsdatum": "joined_at",
    "abteilung": "department",
    "firma": "company_name",
    "firmenname": "company_name",
    "unternehmen": "company_name",
    "lizenztyp": "license_type",
    "lizenz": "license_type",
    "nachrichten_gesamt": "messages_total",
    "nachrichten_gesamt_rang": "messages_total_rank",
    "nachrichten_chat": "messages_chat",
    "nachrichten_chat_rang": "messages_chat_rank",
    "nachrichten_assistenten": "messages_assistants",
    "nachrichten_assistenten_rang": "messages_assistants_rank",
    "nachrichten_agenten": "messages_assistants",
    "nachrichten_agenten_rang": "messages_assistants_rank",
    "nachrichten_projekte": "messages_projects",
    "nachrichten_projekte_rang": "messages_projects_rank",
    "nachrichten_pro_assistent": "assistants_to_messages",
    "nachrichten_pro_projekt": "projects_to_messages",
    "nachrichten_pro_modell": "model_to_messages_total",
    "nachrichten_pro_aktion": "action_to_messages",
    "genutzte_assistenten": "assistants_messaged",
    "genutzte_projekte": "projects_messaged",
    "aktionsnachrichten": "action_messages",
    "nachrichten_aktionen": "action_messages",
    "genutzte_aktionen": "action_messaged",
    "assistent_id": "assistant_id",
    "assistenten_id": "assistant_id",
    "assistent_name": "assistant_name",
    "assistentenname": "assistant_name",
    "agenten_id": "assistant_id",
    "agentenname": "assistant_name",
    "nachrichten": "messages",
    "eindeutige_nutzer": "unique_users",
    "aktive_nutzer": "active_users",
    "unterhaltungen": "conversations",
    "konversationen": "conversations",
    "nachrichten_pro_nutzer": "messages_per_user",
    "projekt_id": "project_id",
    "projektname": "project_name",
    "projekt_name": "project_name",
    "workflow_kennung": "workflow_id",
    "api_schluessel_id": "api_key_id",
    "api_schluessel_name": "api_key_name",
    "anfragen": "requests",
    "anbieter": "provider",
    "modell": "model",
    "modellname": "model",
    "quelle": "source",
    "eigene_schluessel": "bring_your_keys",
    "gesamtkosten_usd": "total_cost_usd",
    "kosten_usd": "total_cost_usd",
}
"""How headers are written elsewhere -> our column."""

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def column_of(header: str) -> str:
    """The column that a header names: in any case, with spaces or hyphens, English or German."""
    plain = unicodedata.normalize("NFKC", header).lower().translate(UMLAUTS)
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    name = "_".join(words)
    return SPELLINGS.get(name, name)


NOT_A_SUM = {"eur", "rate", "rank", "avg", "average", "min", "max", "per", "duration"}
"""Words of a name that says something else than the sum, in dollars or runs, that we keep."""


def by_words(entity: Entity, columns: Sequence[str]) -> list[str]:
    """The columns, those that we do not know by the words that their names have."""
    declared = entity.all_columns
    meant = [
        column if column in declared else _meant(entity, {*column.split("_")}) for column in columns
    ]
    return [
        there if meant.count(column) > 1 or not column else column
        for there, column in zip(columns, meant, strict=True)
    ]


def _meant(entity: Entity, words: set[str]) -> str:
    if words & NOT_A_SUM:
        return ""
    fitting = (
        column
        for column, sets in entity.words.items()
        if any({*needed.split()} <= words for needed in sets)
    )
    return next(fitting, "")


def entity_of(columns: set[str]) -> Entity | None:
    """Which entity's export has these columns."""
    for entity in ENTITIES:
        if any(mark <= columns for mark in entity.marks):
            return entity
    return None
