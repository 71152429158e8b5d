"""The marts as people browse them: keys, joins, a sample query each, and where their rows come
from."""
