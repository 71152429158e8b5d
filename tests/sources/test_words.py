"""What the official package says of the endpoints that we read, by our own hash of its words.

A release may change what a field means and no type: 2.13.0 did. So whoever raises `anthropic` in
pyproject.toml reads the words that changed, mends what follows from them, and then puts the hash.
"""

import anthropic
import pytest
from pydantic import BaseModel

from tests.sources.official import (
    OFFICIAL,
    OFFICIAL_ROSTERS,
    Official,
    OfficialRoster,
    words_hash,
    words_of,
)

READ_IN = "2.14.0"
"""The release whose words were read."""

WORDS = {
    "users": "5fdbac6dfcf9e395",
    "summaries": "f448793c6b88fa2d",
    "apps/chat/projects": "8c622144a5d04991",
    "skills": "6f0f6ba809b1c0f2",
    "connectors": "cdc9d4d4901dbb20",
    "plugins": "24f05b5d4bd6c950",
    "artifacts": "c2c763cd1f3e99ec",
    "cost": "85a329216baf7895",
    "usage": "22e38ebb518eb430",
    "cost_report": "3b5384f54650e074",
    "usage_report": "ec7c7da276ba5742",
    "user_cost_report": "96dc2cb07c7f874c",
    "user_usage_report": "b60b91affe922a3f",
    "members": "d65dbb0949751e44",
    "invites": "85ec4f710f8f93f8",
    "rbac_groups": "6ac3de046205bec3",
    "rbac_group_members": "f8508f784239999b",
    "spend_limits": "4ab301b8161bb16a",
    "organizations": "b98192e252310311",
    "rbac_roles": "9b4f852226265f1f",
    "rbac_role_permissions": "8a173debe6926c88",
    "configured_spend_limits": "a9d896a6bb3bf9f6",
    "spend_limit_increase_requests": "2e77dde2c96761b3",
    "api_keys": "ad34ed6bd476f514",
    "workspaces": "0f17277d50dca572",
    "workspace_members": "5261f5721c476ba9",
    "service_accounts": "fcc6f6ca49127350",
    "service_account_workspaces": "305cfdb648875e9b",
    "federation_issuers": "cc5787d3f5838a68",
    "federation_rules": "3436000931329a34",
    "plugin_marketplaces": "94101cb43926d920",
    "organization_plugins": "a12479c7e8d9747c",
    "plugin_versions": "f7876a1066685c9c",
    "plugin_installation_settings": "cc10497fb4617d12",
    "plugin_shares": "a3f70a8461973b6b",
    "claude_code_settings": "8aabafe48e19a754",
    "claude_code_settings_groups": "c7e94ec21c199075",
    "claude_code_group_settings": "67655e9370aa2af4",
    "claude_code_default_settings": "a3043eeb0875829e",
    "compliance_settings": "74c41ad00ac10e39",
    "telemetry_destinations": "e5b4d09fc89691ac",
    "organization_webhooks": "9af4eb78ade51d06",
}
"""A path below /v1/organizations/analytics/, or a roster -> the hash of what was read of it."""

KNOWN: dict[str, Official | OfficialRoster] = {**OFFICIAL, **OFFICIAL_ROSTERS}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_words_of_an_endpoint_are_those_that_were_read(name: str) -> None:
    found = words_hash(KNOWN[name])

    assert WORDS.get(name) == found, (
        f"What the official package says of {name} is not what was read in {READ_IN}.\n"
        f"Here is {anthropic.__version__}; make install brings the locked one.\n"
        "If it was raised: read what changed, mend what follows from it, then put "
        f'"{found}" into WORDS.'
    )


def test_words_are_kept_only_of_what_is_read() -> None:
    assert WORDS.keys() == KNOWN.keys()


class OneAmount(BaseModel):
    amount: str
    """In cents."""


class OtherAmount(BaseModel):
    amount: str
    """In dollars."""


class OneRow(BaseModel):
    cost: list[OneAmount | None]


class OtherRow(BaseModel):
    cost: list[OtherAmount | None]


def test_another_word_of_a_nested_field_is_told() -> None:
    OtherRow.__name__, OtherAmount.__name__ = OneRow.__name__, OneAmount.__name__

    one, other = (list(words_of(row)) for row in (OneRow, OtherRow))

    assert [(a, b) for a, b in zip(one, other, strict=True) if a != b] == [
        ("amount: In cents.", "amount: In dollars.")
    ]
