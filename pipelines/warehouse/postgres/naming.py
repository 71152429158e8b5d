"""Names of raw tables and columns as PostgreSQL itself shortens them.

dlt would put a hash into a name of more than 63 bytes. The server cuts every name in a query after
63, so a column called by its first 63 is found by its whole name, too.
"""

from dlt.common.normalizers.naming import snake_case


class NamingConvention(snake_case.NamingConvention):
    """dlt's usual names, cut where the server cuts them; what was cut stays as it is."""

    def normalize_identifier(self, identifier: str) -> str:
        return self.normalize_path(identifier)

    def normalize_path(self, path: str) -> str:
        whole = snake_case.NamingConvention()
        # An underscore at the end is no part of a name, but for one that was cut there.
        end = "_" if len(path) == self.max_length and path.endswith("_") else ""
        parts = [whole.normalize_identifier(part) for part in self.break_path(path)]
        if end:
            parts[-1] = whole.normalize_identifier(parts[-1].removesuffix("x")) + end
        return self.make_path(*parts)[: self.max_length]

    def normalize_tables_path(self, path: str) -> str:
        return self.normalize_path(path)

    def shorten_fragments(self, *normalized_idents: str) -> str:
        return self.make_path(*normalized_idents)[: self.max_length]
