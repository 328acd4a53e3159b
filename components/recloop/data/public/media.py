"""News, videos and music: MIND, KuaiRec, Yambda and Last.fm."""

from functools import partial
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.data.public.sets import Download, Form, PublicSet, Tables, files

MIND = "https://recodatasets.z20.web.core.windows.net/newsrec"
ZENODO = "https://zenodo.org/records"
YAMBDA = "https://huggingface.co/datasets/yandex/yambda/resolve/main/flat/50m"
BEHAVIOURS = ("impression", "user", "time", "history", "shown")
NEWS = ("id", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
TRACKS = ("user", "time", "artist_id", "artist", "track_id", "track")
PLAYS = ("user", "artist_id", "artist", "plays")
MIND_PARTS = ("train", "dev")
MIND_FILES = ("behaviors.tsv", "news.tsv")
START = pl.datetime(2000, 1, 1, time_zone="UTC")


def mind(folder: Path) -> Tables:
    """Clicks of MIND: those of the impressions at their time, and the history that a user came with.

    A history has an order and no times: it is dated by the second from 2019-11-01, before the first impression.
    """
    shown = pl.concat([_tsv(folder / part / "behaviors.tsv", BEHAVIOURS) for part in MIND_PARTS])
    moment = pl.col("time").str.to_datetime("%m/%d/%Y %I:%M:%S %p", time_unit="us", time_zone="UTC")
    shown = shown.with_columns(moment)
    clicks = (
        shown.with_columns(pl.col("shown").str.split(" ")).explode("shown").filter(pl.col("shown").str.ends_with("-1"))
    )
    past = shown.sort("time").group_by("user").agg(pl.col("history").drop_nulls().first()).drop_nulls()
    past = past.with_columns(pl.col("history").str.split(" ")).explode("history")
    nth = pl.int_range(pl.len()).over("user")
    first = pl.datetime(2019, 11, 1, time_zone="UTC") + pl.duration(seconds=nth)
    events = pl.concat(
        [
            past.select("user", pl.col("history").alias("item"), first.alias("time")),
            clicks.select("user", pl.col("shown").str.head(-2).alias("item"), "time"),
        ]
    )
    news = pl.concat([_tsv(folder / part / "news.tsv", NEWS) for part in MIND_PARTS])
    items = news.unique("id", keep="first", maintain_order=True).select(
        pl.col("id").alias(Columns.Item),
        pl.col("title").alias(Columns.Title),
        pl.format("{} > {}", "category", "subcategory").alias(Columns.Category),
        pl.concat_str("title", "abstract", separator=". ", ignore_nulls=True).alias(Columns.Text),
    )
    return Tables(_named(events, "click"), items)


def kuairec(folder: Path) -> Tables:
    """Every row of big_matrix.csv as a view (watch_ratio is not kept), captions and categories of the videos."""
    views = pl.scan_csv(folder / "big_matrix.csv", infer_schema=False).select(
        pl.col("user_id").alias("user"),
        pl.col("video_id").alias("item"),
        pl.col("timestamp").cast(pl.Float64).cast(pl.Int64).alias("time"),
    )
    levels = [f"{n}_level_category_name" for n in ("first", "second", "third")]
    videos = pl.scan_csv(folder / "kuairec_caption_category.csv", infer_schema=False)
    known = [pl.when(pl.col(level) != "UNKNOWN").then(pl.col(level)) for level in levels]
    items = videos.select(
        pl.col("video_id").alias(Columns.Item),
        pl.col("caption").alias(Columns.Title),
        pl.concat_str(known, separator=" > ", ignore_nulls=True).alias(Columns.Category),
    )
    return Tables(_named(views, "view"), items)


def yambda(folder: Path, *, name: str, event: str) -> Tables:
    """uid, item_id and timestamp (seconds from an unknown start, in steps of 5): dated from 2000-01-01."""
    table = pl.scan_parquet(folder / name)
    events = table.select(
        pl.col("uid").cast(pl.String).alias("user"),
        pl.col("item_id").cast(pl.String).alias("item"),
        (START + pl.duration(seconds=pl.col("timestamp"))).alias("time"),
    )
    return Tables(_named(events, event))


def tracks(folder: Path) -> Tables:
    """Plays of tracks by 992 listeners; a track without an id is known by artist and title."""
    table = _tsv(folder / "plays.tsv", TRACKS)
    item = pl.coalesce("track_id", pl.format("{} - {}", "artist", "track"))
    plays = table.select("user", item.alias("item"), "time", "artist", "track")
    items = plays.group_by("item").agg(pl.col("track").min(), pl.col("artist").min())
    names = {"item": Columns.Item, "track": Columns.Title, "artist": Columns.Category}
    return Tables(_named(plays.select("user", "item", "time"), "view"), items.rename(names))


def artists(folder: Path) -> Tables:
    """Plays by user and artist, all dated 2008-08-01: neither order nor time is known."""
    table = _tsv(folder / "plays.tsv", PLAYS)
    item = pl.coalesce("artist_id", "artist")
    moment = pl.datetime(2008, 8, 1, time_zone="UTC")
    plays = pl.col("plays").str.strip_chars().cast(pl.Float64)
    events = table.select("user", item.alias("item"), moment.alias("time"), plays.alias(Columns.Quantity))
    names = table.select(item.alias(Columns.Item), pl.col("artist").alias(Columns.Title))
    return Tables(_named(events, "view"), names.group_by(Columns.Item).agg(pl.col(Columns.Title).min()))


def _tsv(path: Path, columns: tuple[str, ...]) -> pl.LazyFrame:
    """Tab separated, no header, quotes are letters; empty is null."""
    return pl.scan_csv(
        path, separator="\t", has_header=False, new_columns=list(columns), infer_schema=False, quote_char=None
    )


def _named(events: pl.LazyFrame, event: str) -> pl.LazyFrame:
    names = {"user": Columns.User, "item": Columns.Item, "time": Columns.Time}
    return events.rename(names).with_columns(pl.lit(event).alias(Columns.Event))


def _mind(size: str, counts: tuple[int | None, int | None]) -> PublicSet:
    downloads = tuple(
        Download(
            f"{MIND}/MIND{size}_{part}.zip",
            f"MIND{size}_{part}.zip",
            unpacked=tuple((f"*{file}", f"{part}/{file}") for file in MIND_FILES),
        )
        for part in MIND_PARTS
    )
    needs = files(*(f"{part}/{file}" for part in MIND_PARTS for file in MIND_FILES))
    return PublicSet(
        f"mind-{size}",
        f"MIND {size}: clicks on news, November 2019",
        *counts,
        None,
        "seconds",
        "Microsoft Research License Terms: research only",
        "Wu et al. 2020, MIND: A Large-scale Dataset for News Recommendation, ACL",
        "https://msnews.github.io/",
        (Form(needs, mind, False, downloads),),
    )


def _yambda(kind: str, event: str, events: int) -> PublicSet:
    name = f"{kind}.parquet"
    form = Form(files(name), partial(yambda, name=name, event=event), False, (Download(f"{YAMBDA}/{name}", name),))
    return PublicSet(
        f"yambda-50m-{kind}",
        f"Yambda 50M: {kind} of tracks in Yandex Music",
        10_000,
        None,
        events,
        "seconds",
        "Apache-2.0",
        "Ploshkin et al. 2025, Yambda-5B, arXiv 2505.22238",
        "https://huggingface.co/datasets/yandex/yambda",
        (form,),
    )


def _lastfm(kind: str, member: str, read: Form, counts: tuple[int, int, int]) -> PublicSet:
    archive = f"lastfm-dataset-{kind}.tar.gz"
    download = Download(f"{ZENODO}/6090214/files/{archive}", archive, unpacked=((f"*{member}", "plays.tsv"),))
    return PublicSet(
        f"lastfm-{kind.lower()}",
        f"Last.fm {kind}: " + ("plays of tracks" if kind == "1K" else "plays by user and artist, no times"),
        *counts,
        "seconds" if kind == "1K" else "nothing",
        "non-commercial, with acknowledgement",
        "Celma 2010, Music Recommendation and Discovery",
        "https://zenodo.org/records/6090214",
        (Form(read.needs, read.read, False, (download,)),),
    )


SETS = (
    _mind("small", (94_057, 65_238)),
    _mind("large", (None, None)),
    PublicSet(
        "kuairec",
        "KuaiRec: views of short videos, summer 2020",
        7_176,
        10_728,
        12_530_806,
        "seconds",
        "CC BY-SA 4.0",
        "Gao et al. 2022, KuaiRec, CIKM",
        "https://kuairec.com/",
        (
            Form(
                files("big_matrix.csv", "kuairec_caption_category.csv"),
                kuairec,
                False,
                (
                    Download(
                        f"{ZENODO}/18164998/files/KuaiRec.zip",
                        "KuaiRec.zip",
                        digest="md5:261550d472c48eff4990fb13c0e5bcf7",
                        unpacked=(
                            ("*/big_matrix.csv", "big_matrix.csv"),
                            ("*/kuairec_caption_category.csv", "kuairec_caption_category.csv"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    _yambda("likes", "rating", 881_456),
    _yambda("listens", "view", 46_467_212),
    _lastfm(
        "1K",
        "/userid-timestamp-artid-artname-traid-traname.tsv",
        Form(files("plays.tsv"), tracks, False),
        (992, 1_500_661, 19_150_868),
    ),
    _lastfm(
        "360K",
        "/usersha1-artmbid-artname-plays.tsv",
        Form(files("plays.tsv"), artists, False),
        (359_347, 294_015, 17_559_530),
    ),
)
