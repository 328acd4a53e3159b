"""Each reader on a literal excerpt of its format."""

import gzip
from datetime import UTC, datetime

import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.sources.collect import collect
from recloop.errors import BadData

EXCERPTS = {
    "ml-100k": {
        "u.data": "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
        "u.item": (
            "242|Kolya (1996)|24-Jan-1997||http://us.imdb.com/M/title-exact?Kolya%20(1996)"
            "|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
            "302|L.A. Confidential (1997)|01-Jan-1997||http://us.imdb.com/M/title-exact?L%2EA%2E"
            "|0|0|0|0|0|0|1|0|0|0|1|0|0|1|0|0|1|0|0\n"
        ),
    },
    "ml-1m": {
        "ratings.dat": "1::1193::5::978300760\n2::1197::3::978302268\n",
        "movies.dat": "1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n1197::Caf\xe9::Au Lait: 2 (1993)::Action|Comedy\n",
    },
    "ml-20m": {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n",
        "movies.csv": 'movieId,title,genres\n2,"American President, The (1995)",Comedy|Drama\n',
    },
    "beauty": {"sequences.txt": "1 1 2\n2 2\n"},
    "mind-small": {
        "train/behaviors.tsv": (
            "1\tU13740\t11/11/2019 9:05:58 AM\tN55189 N42782\tN55689-1 N35729-0\n"
            "2\tU91836\t11/12/2019 6:11:30 PM\t\tN20678-0 N39317-0\n"
        ),
        "train/news.tsv": (
            'N55689\tsports\tfootball_nfl\tCharles Rogers, "former" star\t\thttps://assets.msn.com/a.html\t[]\t[]\n'
            "N55189\ttv\ttv-news\tA title\tAn abstract.\thttps://assets.msn.com/b.html\t[]\t[]\n"
        ),
        "dev/behaviors.tsv": "1\tU13740\t11/15/2019 12:00:00 PM\tN55189 N42782\tN28682-0 N48740-1\n",
        "dev/news.tsv": "N55689\tsports\tfootball_nfl\tChanged\t\thttps://assets.msn.com/a.html\t[]\t[]\n",
    },
    "kuairec": {
        "big_matrix.csv": (
            "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
            "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.273397\n"
        ),
        "kuairec_caption_category.csv": (
            "video_id,manual_cover_text,caption,topic_tag,first_level_category_id,first_level_category_name,"
            "second_level_category_id,second_level_category_name,third_level_category_id,third_level_category_name\n"
            '3649,UNKNOWN,"Hello, cat",[pets],8,Pets,124,Cats,-124,UNKNOWN\n'
        ),
    },
    "lastfm-1k": {
        "plays.tsv": (
            "user_000001\t2009-05-04T23:08:57Z\tf1b1cf71\tDeep Dish\t\tIm Famous\n"
            'user_000001\t2009-05-04T13:54:10Z\ta7f7df4a\tMicro "12"\tt-1\tComposition 0919\n'
        )
    },
    "lastfm-360k": {"plays.tsv": "00000c289a\t3bd73256\tbetty blowtorch\t2137\n00000c289a\t\tdie Arzte\t1099\n"},
    "taobao-ads": {
        "raw_sample.csv": (
            "user,time_stamp,adgroup_id,pid,nonclk,clk\n"
            "581738,1494137644,1,430548_1007,1,0\n449818,1494638778,3,430548_1007,0,1\n"
        ),
        "ad_feature.csv": "adgroup_id,cate_id,campaign_id,customer,brand,price\n3,6261,83237,1,95471,170.0\n",
    },
    "taobao-behaviour": {"UserBehavior.csv": "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,fav,1511561733\n"},
    "retailrocket": {
        "events.csv": (
            "timestamp,visitorid,event,itemid,transactionid\n"
            "1433221332117,257597,view,355908,\n1433222276276,599528,transaction,356475,4000\n"
        )
    },
    "hm": {
        "transactions_train.csv": (
            "t_dat,customer_id,article_id,price,sales_channel_id\n2018-09-20,000058a1,0663713001,0.050830508474576264,2\n"
        ),
        "articles.csv": (
            "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,colour_group_name,"
            "index_group_name,detail_desc\n"
            '0663713001,663713,Atlanta Push Body,283,Underwear body,Underwear,Black,Ladieswear,"Lace push-up, body"\n'
        ),
    },
    "open-bandit": {},
}
HELD = {
    "ml-100k": ("186", "302", "rating", datetime(1998, 4, 4, 19, 22, 22, tzinfo=UTC), 3.0, None),
    "ml-1m": ("2", "1197", "rating", datetime(2000, 12, 31, 22, 37, 48, tzinfo=UTC), 3.0, None),
    "ml-20m": ("1", "2", "rating", datetime(2005, 4, 2, 23, 53, 47, tzinfo=UTC), 3.5, None),
    "beauty": ("1", "2", "purchase", datetime(2000, 1, 2, tzinfo=UTC), None, None),
    "mind-small": ("U13740", "N48740", "click", datetime(2019, 11, 15, 12, tzinfo=UTC), None, None),
    "kuairec": ("0", "3649", "view", datetime(2020, 7, 4, 16, 8, 23, tzinfo=UTC), None, None),
    "lastfm-1k": ("user_000001", "Deep Dish - Im Famous", "view", datetime(2009, 5, 4, 23, 8, 57, tzinfo=UTC), None, None),
    "lastfm-360k": ("00000c289a", "die Arzte", "view", datetime(2008, 8, 1, tzinfo=UTC), None, None),
    "taobao-ads": ("449818", "3", "click", datetime(2017, 5, 13, 1, 26, 18, tzinfo=UTC), None, None),
    "taobao-behaviour": ("1", "2333346", "cart", datetime(2017, 11, 24, 22, 15, 33, tzinfo=UTC), None, None),
    "retailrocket": ("599528", "356475", "purchase", datetime(2015, 6, 2, 5, 17, 56, 276000, tzinfo=UTC), None, "4000"),
    "hm": ("000058a1", "0663713001", "purchase", datetime(2018, 9, 20, tzinfo=UTC), None, "000058a1-2018-09-20"),
}  # fmt: skip
TITLES = {
    "ml-100k": ("302", "L.A. Confidential (1997)", "Crime > Film-Noir > Mystery > Thriller"),
    "ml-1m": ("1197", "Caf\xe9::Au Lait: 2 (1993)", "Action > Comedy"),
    "ml-20m": ("2", "American President, The (1995)", "Comedy > Drama"),
    "mind-small": ("N55689", 'Charles Rogers, "former" star', "sports > football_nfl"),
    "kuairec": ("3649", "Hello, cat", "Pets > Cats"),
    "lastfm-1k": ("t-1", "Composition 0919", 'Micro "12"'),
    "lastfm-360k": ("3bd73256", "betty blowtorch", None),
    "taobao-ads": ("3", "3", "6261"),
    "taobao-behaviour": ("2333346", "2333346", "2520771"),
    "hm": ("0663713001", "Atlanta Push Body Black", "Ladieswear > Underwear > Underwear body"),
}


def written(folder, name):
    for place, text in EXCERPTS[name].items():
        path = folder / name / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1" if place == "movies.dat" else "utf-8")
    return folder


def collected(name, folder):
    return collect(DataConfig(source="public", events=name), folder=folder)


@pytest.mark.parametrize("name", HELD)
def test_a_row_becomes_a_canonical_event(tmp_path, name):
    events, _ = collected(name, written(tmp_path, name))
    rows = events.select("user_id", "item_id", "event", pl.col("time"), "rating", "basket_id").rows()
    assert HELD[name] in rows
    assert events["reason"].null_count() == events.height


@pytest.mark.parametrize("name", TITLES)
def test_a_product_has_its_title_and_category(tmp_path, name):
    _, items = collected(name, written(tmp_path, name))
    assert TITLES[name] in items.select("item_id", "title", "category").rows()


def test_the_history_of_a_reader_of_news_comes_before_what_was_clicked(tmp_path):
    events, _ = collected("mind-small", written(tmp_path, "mind-small"))
    assert events.sort("time")["item_id"].to_list() == ["N55189", "N42782", "N55689", "N48740"]


def test_an_advertisement_that_was_only_shown_is_no_event(tmp_path):
    events, _ = collected("taobao-ads", written(tmp_path, "taobao-ads"))
    assert events["item_id"].to_list() == ["3"]


def test_plays_are_the_quantity_where_there_is_no_time(tmp_path):
    events, _ = collected("lastfm-360k", written(tmp_path, "lastfm-360k"))
    assert events["quantity"].to_list() == [2137.0, 1099.0]


def test_films_as_sequences_keep_their_order(tmp_path):
    (tmp_path / "ml-1m-sequences").mkdir()
    (tmp_path / "ml-1m-sequences/sequences.txt").write_text("1 3186 1721\n")
    (tmp_path / "ml-1m-sequences/movies.dat").write_text(
        "1721::Titanic (1997)::Drama|Romance\n3186::Girl (1999)::Drama\n"
    )
    events, items = collected("ml-1m-sequences", tmp_path)
    assert events.sort("time")["item_id"].to_list() == ["3186", "1721"]
    assert items["title"].to_list() == ["Titanic (1997)", "Girl (1999)"]


def test_recboles_files_have_the_ids_of_the_publisher(tmp_path):
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k/ml-100k.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n"
    )
    (tmp_path / "ml-100k/ml-100k.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n242\tKolya\t1996\tComedy\n"
    )
    events, items = collected("ml-100k", tmp_path)
    assert events.row(0, named=True)["rating"] == 3.0
    assert items.select("title", "category").row(0) == ("Kolya (1996)", "Comedy")


def test_reviews_come_packed_with_a_line_of_json_a_product(tmp_path):
    folder = tmp_path / "amazon-2023/All_Beauty"
    folder.mkdir(parents=True)
    (folder / "ratings.csv.gz").write_bytes(
        gzip.compress(b"user_id,parent_asin,rating,timestamp\nAGKHL,B00YQ6X8EO,5.0,1588687728923\n")
    )
    product = (
        b'{"main_category": "All Beauty", "title": "Herbivore Mist", "average_rating": 4.3, "rating_number": 384, '
        b'"features": [], "price": null, "store": "Herbivore", "categories": [], "details": {"UPC": "1"}, '
        b'"parent_asin": "B00YQ6X8EO", "bought_together": null}\n'
    )
    (folder / "meta.jsonl.gz").write_bytes(gzip.compress(product * 2))
    events, items = collected("amazon-2023/All_Beauty", tmp_path)
    row = events.row(0, named=True)
    assert (row["item_id"], row["rating"], row["time"].year) == ("B00YQ6X8EO", 5.0, 2020)
    assert items.rows() == [("B00YQ6X8EO", "Herbivore Mist", "All Beauty", "Herbivore", "Herbivore Mist Herbivore")]


def test_music_is_dated_from_the_first_second_of_2000(tmp_path):
    (tmp_path / "yambda-50m-likes").mkdir()
    table = pl.DataFrame(
        {"uid": [100], "timestamp": [1_000_005], "item_id": [9]},
        schema=dict.fromkeys(("uid", "timestamp", "item_id"), pl.UInt32),
    )
    table.write_parquet(tmp_path / "yambda-50m-likes/likes.parquet")
    events, _ = collected("yambda-50m-likes", tmp_path)
    assert events.select("user_id", "item_id", "event").row(0) == ("100", "9", "rating")
    assert events["time"][0] == datetime(2000, 1, 12, 13, 46, 45, tzinfo=UTC)


def test_check_ins_are_views_of_places(tmp_path):
    (tmp_path / "gowalla").mkdir()
    text = b"0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n"
    (tmp_path / "gowalla/checkins.txt.gz").write_bytes(gzip.compress(text))
    events, _ = collected("gowalla", tmp_path)
    assert events.select("user_id", "item_id", "event").row(0) == ("0", "22847", "view")


def test_logs_that_name_no_user_are_refused(tmp_path):
    from recloop.data.public.catalogue import known

    for need in known("open-bandit").forms[1].needs:
        path = tmp_path / "open-bandit" / need.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(BadData, match="name no users"):
        collected("open-bandit", tmp_path)
