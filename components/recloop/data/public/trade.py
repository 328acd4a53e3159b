"""Advertising, fashion and places: Taobao, RetailRocket, H&M, Gowalla, and the Open Bandit logs."""

from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.data.public.sets import Download, Form, PublicSet, Tables, files
from recloop.errors import BadData

BEHAVIOUR = {"pv": "view", "cart": "cart", "fav": "cart", "buy": "purchase"}
"""Taobao's kinds of event; a favourite is taken for an intention to buy"""
ROCKET = {"view": "view", "addtocart": "cart", "transaction": "purchase"}
POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")


def display(folder: Path) -> Tables:
    """Clicks (clk = 1) of raw_sample.csv; ad_feature.csv names an ad's category and brand."""
    shown = pl.scan_csv(folder / "raw_sample.csv", infer_schema=False)
    ads = pl.scan_csv(folder / "ad_feature.csv", infer_schema=False)
    brand = pl.col("brand").replace("NULL", None)
    return Tables(
        shown.filter(pl.col("clk") == "1").select(
            pl.col("user").alias(Columns.User),
            pl.col("adgroup_id").alias(Columns.Item),
            pl.col("time_stamp").alias(Columns.Time),
            pl.col("pid").alias(Columns.Store),
            pl.lit("click").alias(Columns.Event),
        ),
        ads.select(
            pl.col("adgroup_id").alias(Columns.Item),
            pl.col("cate_id").alias(Columns.Category),
            brand.alias(Columns.Brand),
        ),
    )


def behaviour(folder: Path) -> Tables:
    """UserBehavior.csv, no header: user, item, category, kind, seconds."""
    columns = ["user", "item", "category", "kind", "time"]
    rows = pl.scan_csv(folder / "UserBehavior.csv", has_header=False, new_columns=columns, infer_schema=False)
    events = rows.select(
        pl.col("user").alias(Columns.User),
        pl.col("item").alias(Columns.Item),
        pl.col("time").alias(Columns.Time),
        pl.col("kind").replace(BEHAVIOUR).alias(Columns.Event),
    )
    kinds = rows.group_by(pl.col("item").alias(Columns.Item)).agg(pl.col("category").min().alias(Columns.Category))
    return Tables(events, kinds)


def rocket(folder: Path) -> Tables:
    """events.csv: timestamp (milliseconds), visitorid, event, itemid, transactionid."""
    return Tables(
        pl.scan_csv(folder / "events.csv", infer_schema=False).select(
            pl.col("visitorid").alias(Columns.User),
            pl.col("itemid").alias(Columns.Item),
            pl.col("timestamp").alias(Columns.Time),
            pl.col("transactionid").alias(Columns.Basket),
            pl.col("event").replace(ROCKET).alias(Columns.Event),
        )
    )


def fashion(folder: Path) -> Tables:
    """transactions_train.csv (a day, a customer, an article; prices are scaled) and articles.csv."""
    bought = pl.scan_csv(folder / "transactions_train.csv", infer_schema=False)
    articles = pl.scan_csv(folder / "articles.csv", infer_schema=False)
    path = ("index_group_name", "product_group_name", "product_type_name")
    return Tables(
        bought.select(
            pl.col("customer_id").alias(Columns.User),
            pl.col("article_id").alias(Columns.Item),
            pl.col("t_dat").str.to_datetime("%Y-%m-%d", time_unit="us").alias(Columns.Time),
            pl.col("price").alias(Columns.Price),
            pl.format("{}-{}", "customer_id", "t_dat").alias(Columns.Basket),
            pl.col("sales_channel_id").alias(Columns.Store),
            pl.lit("purchase").alias(Columns.Event),
        ),
        articles.select(
            pl.col("article_id").alias(Columns.Item),
            pl.concat_str("prod_name", "colour_group_name", separator=" ", ignore_nulls=True).alias(Columns.Title),
            pl.concat_str(path, separator=" > ", ignore_nulls=True).alias(Columns.Category),
            pl.concat_str("prod_name", "detail_desc", separator=". ", ignore_nulls=True).alias(Columns.Text),
        ),
    )


def places(folder: Path) -> Tables:
    """Check-ins: user, time, latitude, longitude, place."""
    columns = ["user", "time", "latitude", "longitude", "place"]
    rows = pl.scan_csv(
        folder / "checkins.txt.gz", separator="\t", has_header=False, new_columns=columns, infer_schema=False
    )
    return Tables(
        rows.select(
            pl.col("user").alias(Columns.User),
            pl.col("place").alias(Columns.Item),
            pl.col("time").alias(Columns.Time),
            pl.lit("view").alias(Columns.Event),
        )
    )


def without_users(folder: Path) -> Tables:
    """Refuse: what was shown is logged with its probability, to whom is not."""
    raise BadData(
        f"The logs in {folder} name no users: they serve off-policy evaluation, and no recommender learns from them."
    )


def _bandit(kind: str) -> tuple[str, ...]:
    logs = [f"{policy}/{campaign}/{campaign}.csv" for policy in POLICIES for campaign in CAMPAIGNS]
    contexts = [f"{policy}/{campaign}/item_context.csv" for policy in POLICIES for campaign in CAMPAIGNS]
    return (*(log + (".gz" if kind == "mirror" and "/all/" in log else "") for log in logs), *contexts)


def _by_hand(
    name: str, title: str, counts: tuple[int, int, int], terms: tuple[str, str, str], form: Form, time: str = "seconds"
) -> PublicSet:
    licence, cite, page = terms
    return PublicSet(
        name,
        title,
        *counts,
        "days" if time == "days" else "seconds",
        licence,
        cite,
        page,
        (form,),
        by_hand=f"Sign in at {page} and download it.",
    )


SETS = (
    _by_hand(
        "taobao-ads",
        "Taobao display advertising: clicks of eight days",
        (1_141_729, 846_811, 26_557_961),
        (
            "Tianchi terms: research",
            "Alibaba 2018, Ad Display/Click Data on Taobao.com",
            "https://tianchi.aliyun.com/dataset/56",
        ),
        Form(files("raw_sample.csv", "ad_feature.csv"), display, False),
    ),
    _by_hand(
        "taobao-behaviour",
        "Taobao user behaviour: views, carts and purchases of nine days",
        (987_994, 4_162_024, 100_150_807),
        (
            "Tianchi terms: research",
            "Zhu et al. 2018, Learning Tree-based Deep Model for Recommender Systems, KDD",
            "https://tianchi.aliyun.com/dataset/649",
        ),
        Form(files("UserBehavior.csv"), behaviour, False),
    ),
    _by_hand(
        "retailrocket",
        "RetailRocket: views, carts and purchases of a shop, 2015",
        (1_407_580, 235_061, 2_756_101),
        (
            "CC BY-NC-SA 4.0",
            "RetailRocket 2016, recommender system dataset",
            "https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset",
        ),
        Form(files("events.csv"), rocket, False),
    ),
    _by_hand(
        "hm",
        "H&M personalised fashion: two years of purchases",
        (1_362_281, 104_547, 31_788_324),
        (
            "Kaggle competition rules",
            "H&M Group 2022, Personalized Fashion Recommendations",
            "https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations/data",
        ),
        Form(files("transactions_train.csv", "articles.csv"), fashion, False),
        "days",
    ),
    PublicSet(
        "gowalla",
        "Gowalla: check-ins at places, 2009 to 2010",
        107_092,
        1_280_969,
        6_442_892,
        "seconds",
        "none stated; SNAP, research",
        "Cho, Myers and Leskovec 2011, Friendship and Mobility, KDD",
        "https://snap.stanford.edu/data/loc-gowalla.html",
        (
            Form(
                files("checkins.txt.gz"),
                places,
                False,
                (Download("https://snap.stanford.edu/data/loc-gowalla_totalCheckins.txt.gz", "checkins.txt.gz"),),
            ),
        ),
    ),
    PublicSet(
        "open-bandit",
        "Open Bandit, small: what two policies showed, with propensities; names no users",
        None,
        80,
        60_000,
        "seconds",
        "Apache-2.0 (repository)",
        "Saito et al. 2021, Open Bandit Dataset and Pipeline, NeurIPS, arXiv 2008.07146",
        "https://github.com/st-tech/zr-obp",
        (
            Form(
                files(*_bandit("wheel")),
                without_users,
                True,
                (
                    Download(
                        "pypi:obp==0.4.1",
                        "obp.whl",
                        unpacked=tuple((f"obp/dataset/obd/{name}", name) for name in _bandit("wheel")),
                    ),
                ),
            ),
            Form(files(*_bandit("mirror")), without_users, True),
        ),
    ),
    PublicSet(
        "open-bandit-full",
        "Open Bandit, full: the same week whole; names no users",
        None,
        80,
        26_000_000,
        "seconds",
        "CC BY 4.0",
        "Saito et al. 2021, Open Bandit Dataset and Pipeline, NeurIPS, arXiv 2008.07146",
        "https://research.zozo.com/data.html",
        (
            Form(
                files(*_bandit("wheel")),
                without_users,
                False,
                (
                    Download(
                        "https://research.zozo.com/data_release/open_bandit_dataset.zip",
                        "open_bandit_dataset.zip",
                        412_931_917,
                        unpacked=tuple((f"open_bandit_dataset/{name}", name) for name in _bandit("wheel")),
                    ),
                ),
            ),
        ),
    ),
)
