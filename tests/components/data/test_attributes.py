import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.attributes import conform_attributes
from recloop.data.onboarding.people import understand_people
from recloop.errors import BadData

RAW = pl.DataFrame({"who": ["b", "a", "b"], "sex": ["f", " ", "f"], "age": ["30", "41", "30"]})


def test_a_row_a_user_sorted_and_blank_words_are_unknown():
    made = conform_attributes(RAW.lazy(), "who", ("sex", "age"), name="people")
    assert made.rows() == [("a", None, "41"), ("b", "f", "30")]


def test_numbers_of_many_values_become_bands_of_about_equally_many_users():
    raw = pl.DataFrame({"who": [f"u{n}" for n in range(60)], "age": [float(n) for n in range(60)]})
    made = conform_attributes(raw.lazy(), "who", ("age",), name="people")
    assert made["age"].n_unique() == 6
    assert made["age"].value_counts()["count"].max() <= 12


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (RAW.with_columns(age=pl.Series(["1", "2", "3"])), "1 users have rows that differ in people, first 'b'"),
        (RAW.with_columns(who=pl.lit(None, pl.String)), "3 of 3 rows of people have no user id"),
        (RAW.drop("age"), "people lacks 'age'"),
    ],
)
def test_a_table_that_is_no_row_a_user_is_refused(raw, says):
    with pytest.raises(BadData, match=says):
        conform_attributes(raw.lazy(), "who", ("sex", "age"), name="people")


def test_init_takes_words_and_numbers_that_come_again_and_doubts_the_rest():
    raw = pl.DataFrame(
        {
            "kunde": [f"c{n}" for n in range(50)],
            "sex": ["f", "m"] * 25,
            "age": [20 + n % 9 for n in range(50)],
            "mail": [f"{n}@x" for n in range(50)],
        }
    )
    keys, read, doubts = understand_people(raw.lazy(), "kunde")
    assert keys == {"user_column": "kunde", "user_attributes": ["sex", "age"]}
    assert read[0] == ("kunde", "c0")
    assert doubts == ("users: 'mail' not taken: as many values as users, or a single one",)


def test_users_and_their_attributes_belong_together():
    with pytest.raises(ValueError, match="belong together"):
        DataConfig(events="a.csv", users="people.csv")
