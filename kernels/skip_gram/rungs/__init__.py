"""The faster versions of skip-gram; the ladder is on the page of the family."""
