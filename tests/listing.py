"""A source read to its end, and the bytes of one thing of it."""

from providers.sources import Item, Source


async def everything(source: Source) -> list[Item]:
    items, cursor = [], None
    for _ in range(50):
        page = await source.page(cursor, None)
        items += page.items
        cursor = page.cursor
        if page.last:
            return items
    raise AssertionError("the listing never ends")


async def whole(source: Source, item: Item) -> bytes:
    return b"".join([chunk async for chunk in source.fetch(item)])
