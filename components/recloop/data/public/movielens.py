"""MovieLens (GroupLens, University of Minnesota): ratings of films, in the four forms that were published."""

from functools import partial
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.data.public.sets import Download, Form, Need, PublicSet, Tables, files
from recloop.data.sources.sequences import Sequences

LICENCE = "GroupLens: research, with acknowledgement; no redistribution or commercial use without permission"
CITE = "Harper and Konstan 2015, The MovieLens Datasets, ACM TiiS 5(4):19"
SITE = "https://files.grouplens.org/datasets/movielens"
PAGE = "https://grouplens.org/datasets/movielens/"
NAMES = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical Mystery "
    "Romance Sci-Fi Thriller War Western"
)
"""columns 6 to 24 of u.item"""
GENRES = tuple(NAMES.split())
SEQUENCES = "3b3803d72c034929ada18b2cbd114296261c012b7a3e10282543adeceba53fb1"
MOVIES = "0140fc2356357c1a851d0f52e893a1e4d3696df632c4141cea8d5bc3d621f0b9"
SASREC = "f939258a859d16e43055e80bf8f7d66aeae3805fa21cb1b999fbafa9c6c5694b"
INTER = "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff"
ITEM = "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532"
RECBOLE = "https://raw.githubusercontent.com/RUCAIBox/RecBole/7b02be5ec80a88310f2d04a27a82adfcbb5dc211/recbole/dataset_example/ml-100k"


def tab(folder: Path) -> Tables:
    """u.data (user, item, rating, seconds; no header) and u.item (Latin-1, a column a genre)."""
    names = [Columns.User, Columns.Item, Columns.Rating, Columns.Time]
    events = pl.scan_csv(folder / "u.data", separator="\t", has_header=False, new_columns=names, infer_schema=False)
    lines = [line.split("|") for line in (folder / "u.item").read_text("latin-1").splitlines() if line]
    genres = [[g for g, flag in zip(GENRES, line[5:24], strict=True) if flag == "1"] for line in lines]
    return Tables(_rated(events), _films([line[0] for line in lines], [line[1] for line in lines], genres))


def colons(folder: Path, *, encoding: str) -> Tables:
    """ratings.dat and movies.dat, fields parted by two colons."""
    # polars parts by one byte: every other column is empty
    names = [Columns.User, "1", Columns.Item, "2", Columns.Rating, "3", Columns.Time]
    events = pl.scan_csv(folder / "ratings.dat", separator=":", has_header=False, new_columns=names, infer_schema=False)
    return Tables(_rated(events.drop("1", "2", "3")), _movies(folder, encoding))


def commas(folder: Path) -> Tables:
    """ratings.csv and movies.csv, the form of every set since 20M."""
    names = {"userId": Columns.User, "movieId": Columns.Item, "rating": Columns.Rating, "timestamp": Columns.Time}
    events = pl.scan_csv(folder / "ratings.csv", infer_schema=False).rename(names)
    movies = pl.scan_csv(folder / "movies.csv", infer_schema=False).select(
        pl.col("movieId").alias(Columns.Item),
        pl.col("title").alias(Columns.Title),
        pl.col("genres").str.replace("(no genres listed)", "", literal=True).str.replace_all("|", " > ", literal=True),
    )
    return Tables(_rated(events), _described(movies.rename({"genres": Columns.Category})))


def atomic(folder: Path) -> Tables:
    """RecBole's atomic files: ml-100k.inter and ml-100k.item, typed headers, the ids of u.data."""
    events = pl.scan_csv(folder / "ml-100k.inter", separator="\t", infer_schema=False)
    items = pl.scan_csv(folder / "ml-100k.item", separator="\t", infer_schema=False, quote_char=None)
    return Tables(
        _rated(events.rename(lambda name: {"timestamp": Columns.Time}.get(name.split(":")[0], name.split(":")[0]))),
        _described(
            items.select(
                pl.col("item_id:token").alias(Columns.Item),
                pl.format("{} ({})", "movie_title:token_seq", "release_year:token").alias(Columns.Title),
                pl.col("class:token_seq").str.replace_all(" ", " > ").alias(Columns.Category),
            )
        ),
    )


def sequences(folder: Path) -> Tables:
    """sequences.txt (user item item ...) in original ids, movies.dat: the order is known, ratings and times are not."""
    return Tables(Sequences(str(folder / "sequences.txt")).events(), _movies(folder, "latin-1"))


def renumbered(folder: Path) -> Tables:
    """sequences.txt alone."""
    return Tables(Sequences(str(folder / "sequences.txt")).events())


def _rated(events: pl.LazyFrame) -> pl.LazyFrame:
    return events.with_columns(pl.lit("rating").alias(Columns.Event))


def _movies(folder: Path, encoding: str) -> pl.LazyFrame:
    lines = [line.split("::") for line in (folder / "movies.dat").read_text(encoding).splitlines() if line]
    genres = [line[-1].replace("(no genres listed)", "").split("|") for line in lines]
    return _films([line[0] for line in lines], ["::".join(line[1:-1]) for line in lines], genres)


def _films(ids: list[str], titles: list[str], genres: list[list[str]]) -> pl.LazyFrame:
    paths = [" > ".join(genre) for genre in genres]
    return _described(pl.LazyFrame({Columns.Item: ids, Columns.Title: titles, Columns.Category: paths}))


def _described(films: pl.LazyFrame) -> pl.LazyFrame:
    """Genres in the file's order stand for the category's path: the first is the department."""
    words = pl.col(Columns.Category).str.replace_all(" > ", ", ")
    return films.with_columns(pl.format("{} {}", Columns.Title, words).str.strip_chars().alias(Columns.Text))


def _zipped(name: str, inside: str, *members: str, size: int | None = None, md5: str | None = None) -> tuple[Download]:
    unpacked = tuple((f"{inside}/{member}", member) for member in members)
    digest = None if md5 is None else f"md5:{md5}"
    return (Download(f"{SITE}/{name}.zip", f"{name}.zip", size, digest, unpacked),)


def _set(name: str, title: str, counts: tuple[int, int, int] | None, *forms: Form) -> PublicSet:
    users, items, events = counts or (None, None, None)
    return PublicSet(name, title, users, items, events, "seconds", LICENCE, CITE, PAGE, forms)


def _csv(
    name: str, title: str, counts: tuple[int, int, int] | None, size: int | None, md5: str | None, seen: bool = False
) -> PublicSet:
    downloads = _zipped(name, name, "ratings.csv", "movies.csv", size=size, md5=md5)
    return _set(name, title, counts, Form(files("ratings.csv", "movies.csv"), commas, seen, downloads))


SETS = (
    _set(
        "ml-100k",
        "MovieLens 100K, 1997 to 1998",
        (943, 1_682, 100_000),
        Form(
            files("u.data", "u.item"),
            tab,
            False,
            _zipped("ml-100k", "ml-100k", "u.data", "u.item", size=4_924_029, md5="0e33842e24a9c977be4e0107933c0723"),
        ),
        Form(
            (Need("ml-100k.inter", INTER), Need("ml-100k.item", ITEM)),
            atomic,
            True,
            (
                Download(f"{RECBOLE}/ml-100k.inter", "ml-100k.inter", 1_979_230, f"sha256:{INTER}"),
                Download(f"{RECBOLE}/ml-100k.item", "ml-100k.item", 66_632, f"sha256:{ITEM}"),
            ),
        ),
    ),
    _set(
        "ml-1m",
        "MovieLens 1M, 2000 to 2003",
        (6_040, 3_706, 1_000_209),
        Form(
            files("ratings.dat", "movies.dat"),
            partial(colons, encoding="latin-1"),
            False,
            _zipped("ml-1m", "ml-1m", "ratings.dat", "movies.dat", md5="c4d9eecfca2ab87c1945afe126590906"),
        ),
    ),
    _set(
        "ml-10m",
        "MovieLens 10M, 1995 to 2009",
        (69_878, 10_677, 10_000_054),
        Form(
            files("ratings.dat", "movies.dat"),
            partial(colons, encoding="utf-8"),
            False,
            _zipped("ml-10m", "ml-10M100K", "ratings.dat", "movies.dat", md5="ce571fd55effeba0271552578f2648bd"),
        ),
    ),
    _csv(
        "ml-20m",
        "MovieLens 20M, 1995 to 2015",
        (138_493, 26_744, 20_000_263),
        198_702_078,
        "cd245b17a1ae2cc31bb14903e1204af3",
    ),
    _csv(
        "ml-25m",
        "MovieLens 25M, 1995 to 2019",
        (162_541, 59_047, 25_000_095),
        None,
        "6b51fb2759a8657d3bfcbfc42b592ada",
    ),
    _csv(
        "ml-32m",
        "MovieLens 32M, 1995 to 2023",
        (200_948, 84_432, 32_000_204),
        238_950_008,
        "d472be332d4daa821edc399621853b57",
    ),
    _csv("ml-latest-small", "MovieLens latest small, September 2018", (610, 9_724, 100_836), None, None, seen=True),
    _csv("ml-latest", "MovieLens latest; changes, so no figures on it", None, None, None),
    PublicSet(
        "ml-1m-sequences",
        "MovieLens 1M as sequences: order and titles, no ratings, no times",
        6_040,
        3_706,
        1_000_209,
        "order",
        LICENCE,
        CITE,
        PAGE,
        (
            Form(
                (
                    Need("sequences.txt", SEQUENCES, "ml-1m/sequences.txt"),
                    Need("movies.dat", MOVIES, "ml-1m/movies.dat"),
                ),
                sequences,
                True,
            ),
        ),
        by_hand="Write each user's films of ml-1m by time into sequences.txt (user item item ...), with movies.dat beside it.",
    ),
    PublicSet(
        "ml-1m-sasrec",
        "MovieLens 1M as SASRec numbered it, items of five events and more",
        6_040,
        3_416,
        999_611,
        "order",
        LICENCE,
        f"{CITE}; Kang and McAuley 2018, SASRec",
        "https://github.com/asash/gSASRec-pytorch",
        (Form((Need("sequences.txt", SASREC),), renumbered, True),),
        by_hand="Join datasets/ml1m of the repository into sequences.txt: one user a line, user item item ...",
    ),
)
