"""The transforms as dbt compiled them: statements that an engine runs one after the other.

Reading and compiling the project takes dbt longer than most organisations' marts take to build, and
what comes out depends on nothing but the project's files, dbt's version and where it is built. So
dbt does it once, and every run after that only runs the statements, without dbt. Settings are left
open in them and filled in by each run.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.data_dir import write_private

KEPT = 8
"""As many compilations a process remembers: a run needs one."""
_compiled: dict[str, "Compiled"] = {}
OPEN = re.compile(r"@setting_(\w+)@")


TARGET = "target"
"""dbt's own name for what it makes of a project, beside it; git and the wheel pass over it."""


def left_open(variable: str) -> str:
    """What stands in a statement for a dbt variable's value until `Compiled.filled`."""
    return f"@setting_{variable}@"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A model or a data test.

    Attributes:
        name: dbt's unique id.
        kind: table, view or test.
        relation: What a model builds, as SQL names it; None of a test.
        sql: The query that fills it; of a test, the one that finds what is wrong.
        path: Of its file in the project.
        needs: The unique ids of the models and sources that it reads.
        description: Of a test, what its rows mean.
        comments: SQL that describes the relation and its columns in the warehouse.
        is_warning: Whether a test is about the vendor's data rather than our own logic.
    """

    name: str
    kind: str
    relation: str | None
    sql: str
    path: str
    needs: Sequence[str]
    description: str = ""
    comments: Sequence[str] = ()
    is_warning: bool = False

    @property
    def short(self) -> str:
        """What people call it."""
        return self.name.split(".")[2]


@dataclass(frozen=True)
class Compiled:
    """The whole project in an order in which it can be built, each test after all models."""

    nodes: Sequence[Node]

    def models(self, selectors: Sequence[str] = ()) -> list[Node]:
        """The models, in order; those alone that dbt's selectors name, if there are any."""
        chosen = self._chosen(selectors)
        return [node for node in self.nodes if node.kind != "test" and node.name in chosen]

    def tests(self, selectors: Sequence[str] = ()) -> list[Node]:
        """The tests of these models; not those that read others too, which may not be there."""
        tests = [node for node in self.nodes if node.kind == "test"]
        if not selectors:
            return tests
        chosen = self._chosen(selectors)
        others = self._chosen(()) - chosen
        return [at for at in tests if chosen & {*at.needs} and not others & {*at.needs}]

    def filled(self, variables: Mapping[str, str]) -> "Compiled":
        """The statements with the values of the variables that were left open in them."""

        def value(found: re.Match[str]) -> str:
            return variables[found[1]]

        return Compiled([replace(node, sql=OPEN.sub(value, node.sql)) for node in self.nodes])

    def _chosen(self, selectors: Sequence[str]) -> set[str]:
        known = {node.name: node for node in self.nodes if node.kind != "test"}
        if not selectors:
            return set(known)
        parents = {name: {*node.needs} for name, node in known.items()}
        children: dict[str, set[str]] = {}
        for name, needed in parents.items():
            for parent in needed:
                children.setdefault(parent, set()).add(name)
        chosen: set[str] = set()
        for selector in selectors:
            parts = [self._named(part, known, parents, children) for part in selector.split(",")]
            chosen |= set.intersection(*parts)
        return chosen & known.keys()

    def _named(
        self,
        selector: str,
        known: Mapping[str, Node],
        parents: Mapping[str, Collection[str]],
        children: Mapping[str, Collection[str]],
    ) -> set[str]:
        """What one selector names: `name`, `path:…` or `source:…`, with `+` for what it is built
        from before it, and for what is built from it behind it."""
        method, _, value = selector.strip("+").rpartition(":")
        if method == "path":
            found = {name for name, node in known.items() if node.path.startswith(f"{value}/")}
        elif method == "source":
            ending = f".{value}"
            found = {name for name in children if name.endswith(ending)}
        else:
            found = {name for name, node in known.items() if node.short == value}
        if selector.startswith("+"):
            found |= _reached(found, parents)
        if selector.endswith("+"):
            found |= _reached(found, children)
        return found


def compiled(
    project: Path,
    folder: Path,
    engine: str,
    database: str,
    variables: Mapping[str, Any],
    compile_: Callable[[], Iterable[Any]],
) -> Compiled:
    """The project with these variables for an engine's database.

    It is kept in `folder` and, as Python keeps its own, beside the project where that can be
    written, so that the next folder need not wait for it. `compile_` asks dbt, and returns its
    results.
    """
    key = _key(project, engine, database, variables)
    if key not in _compiled:
        if len(_compiled) >= KEPT:
            del _compiled[next(iter(_compiled))]
        files = [
            folder / f"compiled-{database}.json",
            project / TARGET / f"compiled-{engine}-{database}.json",
        ]
        lacking = []
        for file in files:
            if found := _kept(file, key):
                break
            lacking.append(file)
        else:
            found = Compiled(_in_order(_node(each.node) for each in compile_()))
        for file in lacking:
            _keep(file, key, found)
        _compiled[key] = found
    return _compiled[key]


def _key(project: Path, engine: str, database: str, variables: Mapping[str, Any]) -> str:
    versions = [version("dbt-core"), version(f"dbt-{engine}")]
    key = hashlib.sha256(json.dumps([engine, database, versions, variables]).encode())
    for file in sorted(project.rglob("*")):
        if file.suffix in {".sql", ".yml"} and TARGET not in file.relative_to(project).parts:
            content = file.read_bytes()
            key.update(f"\n{file.relative_to(project)} {len(content)}\n".encode() + content)
    return key.hexdigest()


def _kept(file: Path, key: str) -> Compiled | None:
    """What an earlier run kept; None if it is of another project, or not what was written."""
    try:
        content = json.loads(file.read_bytes())
        if content["key"] != key or content["digest"] != _digest(content["nodes"]):
            return None
        return Compiled([Node(**node) for node in content["nodes"]])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(file: Path, key: str, found: Compiled) -> None:
    nodes = [asdict(node) for node in found.nodes]
    content = {"key": key, "digest": _digest(nodes), "nodes": nodes}
    with suppress(OSError):  # The next run compiles it once more.
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps(content))


def _digest(nodes: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(nodes).encode()).hexdigest()


def _in_order(nodes: Iterable[Node]) -> list[Node]:
    by_name = {node.name: node for node in sorted(nodes, key=lambda node: node.name)}
    models = {
        name: [needed for needed in node.needs if needed in by_name]
        for name, node in by_name.items()
        if node.kind != "test"
    }
    tests = [node for node in by_name.values() if node.kind == "test"]
    return [*(by_name[name] for name in TopologicalSorter(models).static_order()), *tests]


def _node(node: Any) -> Node:
    """Of one that dbt has compiled."""
    is_test = node.resource_type == "test"
    return Node(
        name=node.unique_id,
        kind="test" if is_test else str(node.config.materialized),
        relation=None if is_test else node.relation_name,
        sql=node.compiled_code,
        path=node.original_file_path,
        needs=sorted(node.depends_on.nodes),
        description=node.description,
        comments=() if is_test else list(_comments(node)),
        is_warning=is_test and str(node.config.severity).lower() == "warn",
    )


def _comments(node: Any) -> Iterator[str]:
    shown = node.config.persist_docs
    if shown.get("relation") and node.description:
        kind = node.config.materialized
        yield f"comment on {kind} {node.relation_name} is {_text(node.description)}"
    if shown.get("columns"):
        for name, column in node.columns.items():
            if column.description:
                named = f'{node.relation_name}."{name}"'
                yield f"comment on column {named} is {_text(column.description)}"


def _text(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _reached(names: Collection[str], edges: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [*names]
    while ahead:
        for name in edges.get(ahead.pop(), ()):
            if name not in found:
                found.add(name)
                ahead.append(name)
    return found
