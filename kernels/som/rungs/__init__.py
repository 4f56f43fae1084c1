"""The faster versions of the self-organising map; the ladder is on the page of the family."""
