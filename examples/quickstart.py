"""Declare, write, find, page, meet a conflict: quickstart.py [memory|postgres|mongodb|dynamodb]."""

import asyncio
import sys
from decimal import Decimal

from rightstore import Entity, Field, Index, Rightstore, Settings, errors
from rightstore.types import StoreName

WHERE = sys.argv[1] if sys.argv[1:] else "memory"
HOMES: dict[str, StoreName] = {"mongodb": "mongodb", "dynamodb": "dynamodb"}


class Tea(Entity, key="sku", home=HOMES.get(WHERE, "postgres"), indexes=[Index("kind", "price")]):
    sku: Field[str]
    kind: Field[str]
    price: Field[Decimal]


async def main() -> None:
    app = Rightstore(f"quickstart_{WHERE}", sys.modules[__name__])
    async with app.open(Settings.memory() if WHERE == "memory" else None) as stores:
        teas = stores.of(Tea)
        for number in range(1, 6):
            await teas.put(Tea(sku=f"t{number}", kind="green", price=Decimal(number)), expect="any")
        query = teas.find(Tea.kind == "green", Tea.price < 5).sort(Tea.price.desc())
        page = await query.page(3)
        rest = await query.page(3, after=page.next)
        print([tea.sku for tea in page.items], [tea.sku for tea in rest.items])
        mine, yours = await teas.get_one("t1"), await teas.get_one("t1")
        mine.price, yours.price = Decimal("1.25"), Decimal("1.75")
        await teas.put(mine)
        try:
            await teas.put(yours)
        except errors.VersionConflictError as conflict:
            print(conflict)
        print(await teas.change("t1", Tea.price.add(2), when=Tea.price < 2))


asyncio.run(main())
