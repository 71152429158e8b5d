"""What is believed of a roster at once, rule by rule."""

from sources.plausibility import DoubtSettings, ListClaim, half_a_roster

PEOPLE = [f"user_{number:02}" for number in range(20)]
MEMBERS = ListClaim(
    name="members", known={each: each for each in PEOPLE}, claimed={each: each for each in PEOPLE}
)


def in_group(group: str, people: list[str]) -> dict[str, str | None]:
    return {f"{group} {person}": person for person in people}


def doubted(known: dict[str, str | None], claimed: dict[str, str | None]) -> str:
    groups = ListClaim(name="rbac_group_members", known=known, claimed=claimed)
    doubt, _ = half_a_roster([MEMBERS, groups], set(), None, DoubtSettings())
    return doubt.sentence if doubt else ""


def test_people_who_move_to_another_group_are_not_lost() -> None:
    known = in_group("sales", PEOPLE)

    assert not doubted(known, in_group("revenue", PEOPLE))
    assert not doubted(known, in_group("sales", PEOPLE[:4]) | in_group("revenue", PEOPLE[4:]))


def test_people_who_are_in_fewer_groups_than_before_are() -> None:
    known = in_group("sales", PEOPLE) | in_group("everybody", PEOPLE)

    assert "rbac_group_members: 20 of 40 are left" in doubted(known, in_group("sales", PEOPLE))
    told = doubted(known, in_group("sales", PEOPLE) | in_group("revenue", PEOPLE[:8]))
    assert "rbac_group_members: 20 of 40 are left" in told


def test_a_list_about_nobody_is_counted_as_it_is() -> None:
    keys: dict[str, str | None] = {f"key_{number:02}": None for number in range(20)}
    rotated: dict[str, str | None] = {f"key_{number:02}": None for number in range(20, 40)}

    assert not doubted(keys, rotated)
    assert "8 of 20 are left" in doubted(keys, dict(list(keys.items())[:8]))
