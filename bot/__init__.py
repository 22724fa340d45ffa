"""What the child meets. One message's journey:

a channel takes it in (`channels`), `turn` reads it (`nlu`), decides (`policy`) and stores all of it in one transaction
(`handoff`); after the commit the page collects the answer, or `delivery` pushes it; `waiting` tells a child how long it takes.
"""
