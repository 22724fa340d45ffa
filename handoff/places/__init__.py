"""The gemeenten in the database, and the stickers that lead to them."""
