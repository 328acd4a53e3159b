"""Amazon reviews (McAuley lab, UCSD): the categories of 2023, and Beauty, Sports and Toys as benchmarks cut them."""

from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.data.public.sets import Download, Form, Need, PublicSet, Tables, files
from recloop.data.sources.sequences import Sequences

LICENCE = "none stated; offered for research, with citation"
SITE = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023"
CITE = "Hou et al. 2024, Bridging Language and Items for Retrieval and Recommendation, arXiv 2403.03952"
CITE_2014 = "McAuley et al. 2015, Image-based Recommendations on Styles and Substitutes"
NAMES = (
    "All_Beauty Amazon_Fashion Appliances Arts_Crafts_and_Sewing Automotive Baby_Products Beauty_and_Personal_Care Books "
    "CDs_and_Vinyl Cell_Phones_and_Accessories Clothing_Shoes_and_Jewelry Digital_Music Electronics Gift_Cards "
    "Grocery_and_Gourmet_Food Handmade_Products Health_and_Household Health_and_Personal_Care Home_and_Kitchen "
    "Industrial_and_Scientific Kindle_Store Magazine_Subscriptions Movies_and_TV Musical_Instruments Office_Products "
    "Patio_Lawn_and_Garden Pet_Supplies Software Sports_and_Outdoors Subscription_Boxes Tools_and_Home_Improvement "
    "Toys_and_Games Video_Games"
)
CATEGORIES = tuple(NAMES.split())
CORES = {"amazon-2023": "0core", "amazon-2023-5core": "5core"}
"""name -> the publisher's folder: everything, or users and items of five events and more"""
META = pl.Schema(
    {
        "parent_asin": pl.String(),
        "main_category": pl.String(),
        "title": pl.String(),
        "store": pl.String(),
        "categories": pl.List(pl.String()),
    }
)
S3REC = "https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/2a81540ae18615d88ef88227b0c066e5b74781e5/data"
BERT4REC = "https://raw.githubusercontent.com/FeiSun/BERT4Rec/615eaf2004abecda487a38d5b0c72f3dcfcae5b3/data"


def reviews(folder: Path) -> Tables:
    """ratings.csv.gz (user_id, parent_asin, rating, timestamp in milliseconds) and meta.jsonl.gz (one product a line)."""
    events = pl.scan_csv(folder / "ratings.csv.gz", infer_schema=False)
    names = {"parent_asin": Columns.Item, "timestamp": Columns.Time}
    meta = pl.scan_ndjson(folder / "meta.jsonl.gz", schema=META)
    path = pl.col("categories").list.join(" > ")
    return Tables(
        events.rename(names).with_columns(pl.lit("rating").alias(Columns.Event)),
        meta.unique("parent_asin", keep="first", maintain_order=True).select(
            pl.col("parent_asin").alias(Columns.Item),
            pl.col("title").alias(Columns.Title),
            pl.when(path == "").then("main_category").otherwise(path).alias(Columns.Category),
            pl.col("store").alias(Columns.Brand),
        ),
    )


def lines(folder: Path) -> Tables:
    """sequences.txt: user item item ..., or one item a line; no times, no titles."""
    return Tables(Sequences(str(folder / "sequences.txt")).events())


def category(name: str) -> PublicSet:
    """amazon-2023/All_Beauty -> the set of one category."""
    edition, kind = name.split("/", 1)
    core = CORES[edition]
    downloads = (
        Download(f"{SITE}/benchmark/{core}/rating_only/{kind}.csv.gz", "ratings.csv.gz"),
        Download(f"{SITE}/raw/meta_categories/meta_{kind}.jsonl.gz", "meta.jsonl.gz"),
    )
    form = Form(files("ratings.csv.gz", "meta.jsonl.gz"), reviews, False, downloads)
    title = f"Amazon reviews 2023, {kind.replace('_', ' ')}" + (", five-core" if core == "5core" else "")
    page = "https://amazon-reviews-2023.github.io/"
    return PublicSet(name, title, None, None, None, "seconds", LICENCE, CITE, page, (form,))


def _s3rec(name: str, kind: str, counts: tuple[int, int, int], size: int, sha256: str) -> PublicSet:
    download = Download(f"{S3REC}/{kind}.txt", "sequences.txt", size, f"sha256:{sha256}")
    return PublicSet(
        name,
        f"Amazon 2014 {kind.replace('_', ' ')}, five-core, as S3-Rec cut it",
        *counts,
        "order",
        LICENCE,
        f"{CITE_2014}; Zhou et al. 2020, S3-Rec",
        "https://github.com/RUCAIBox/CIKM2020-S3Rec",
        (Form((Need("sequences.txt", sha256, f"s3rec-amazon/{kind}.txt"),), lines, True, (download,)),),
    )


BEAUTY = "f480b7a7403852342ffd8f9809bb30697dd669be31813d0e204b698fec86ef49"

SETS = (
    _s3rec(
        "beauty",
        "Beauty",
        (22_363, 12_101, 198_502),
        1_090_094,
        "226cce9c3105299ca0db9615d7d3fb32b3175e90da43100ae352599f0f0107b8",
    ),
    _s3rec(
        "sports",
        "Sports_and_Outdoors",
        (35_598, 18_357, 296_337),
        1_707_483,
        "2a095e0648872beb9982408958290f5d655db5be2911c3756b5446de9f0b8de2",
    ),
    _s3rec(
        "toys",
        "Toys_and_Games",
        (19_412, 11_924, 167_597),
        922_166,
        "176c680c688d497598c4a89a03b402c0fe78d795e5db335c2e78dd5f2d778a3f",
    ),
    PublicSet(
        "bert4rec-beauty",
        "Amazon 2014 Beauty as BERT4Rec released it; many items of one event",
        40_226,
        54_542,
        353_962,
        "order",
        LICENCE,
        f"{CITE_2014}; Sun et al. 2019, BERT4Rec",
        "https://github.com/FeiSun/BERT4Rec",
        (
            Form(
                (Need("sequences.txt", BEAUTY, "bert4rec-beauty/beauty.txt"),),
                lines,
                True,
                (Download(f"{BERT4REC}/beauty.txt", "sequences.txt", 3_912_093, f"sha256:{BEAUTY}"),),
            ),
        ),
    ),
)
