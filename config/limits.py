"""Limits that several parts must agree on."""

TEXT_LIMIT = 4_000
"""Characters of one message, of a child or a confidant. What understands words reads as many (`nlu.text.LONGEST`)."""

SHORTEST_RETENTION, LONGEST_RETENTION = 7, 90
"""Days that a gemeente may choose to keep chats, for the whole country.

No law names a number. AVG art. 5(1)(e): not longer than needed; what belongs in a file, a human writes down there, and that has
the terms of the selectielijst. A comparable Dutch helpline keeps chats 30 days (infopuntonbedoeldzwanger.nl/privacy): the default.
A week at least: a child that writes on Friday night is answered, and can read it again, after a weekend with a holiday. A season at
most: a chat is no file, and the copies of what was erased must not be of use for longer (decision 0034).
"""
