"""What the three Claude APIs share: address, key, version, refusal codes, words of advice."""

from functools import partial

from sources.http.api import Api

BASE_URL = "https://api.anthropic.com"
API_VERSION = "2026-10-21"

claude_api = partial(
    Api,
    base_url=BASE_URL,
    key_header=("x-api-key", ""),
    headers={"anthropic-version": API_VERSION},
    organisation_header="anthropic-organization-id",
    if_forbidden=(
        "API access may be switched off for the organisation, or for this key.\n"
        "The primary owner can check it in claude.ai: organisation settings, API page."
    ),
    if_not_taken=(
        "Days that it does not have are refused so; check --from, and the settings of days."
    ),
    not_for_this_organisation=frozenset(
        {
            "organization_type_not_supported",
            "organization_not_enrolled_in_beta",
            "organization_not_eligible",
            "parent_organization_required",
        }
    ),
)
"""One of them; each says its name, settings, and what its key is for."""
