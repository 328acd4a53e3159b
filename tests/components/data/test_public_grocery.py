"""Readers of baskets and invoices on literal excerpts of their formats."""

import io
import zipfile
from datetime import UTC, datetime

import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.public.named import named
from recloop.data.sources.collect import collect


def collected(name, folder):
    return collect(DataConfig(source="public", events=name), folder=folder)


def test_a_line_of_ta_feng_is_so_many_units_at_their_price(tmp_path):
    (tmp_path / "ta-feng").mkdir()
    text = (
        '\ufeff"TRANSACTION_DT","CUSTOMER_ID","AGE_GROUP","PIN_CODE","PRODUCT_SUBCLASS","PRODUCT_ID","AMOUNT","ASSET","SALES_PRICE"\r\n'
        '"11/1/2000","01104905","45-49","115","110411","4710199010372","2","24","30"\r\n'
    )
    with zipfile.ZipFile(tmp_path / "ta-feng/ta_feng.csv.zip", "w") as packed:
        packed.writestr("ta_feng_all_months_merged.csv", text)
    events, items = collected("ta-feng", tmp_path)
    row = events.row(0, named=True)
    assert (row["user_id"], row["price"], row["quantity"], row["basket_id"]) == (
        "01104905",
        15.0,
        2.0,
        "01104905-11/1/2000",
    )
    assert items["category"].to_list() == ["110411"]


INVOICES = {
    "InvoiceNo": ["536365", "C536379", "536380", "536381"],
    "StockCode": ["85123A", "85123A", "85123A", "85123A"],
    "Description": ["WHITE HEART ", "WHITE HEART", "wrongly coded", None],
    "Quantity": [6, -1, 2, 1],
    "InvoiceDate": [datetime(2010, 12, 1, 8, n) for n in (26, 27, 28, 29)],
    "UnitPrice": [2.55, 2.55, 2.55, 2.55],
    "CustomerID": [17850, 17850, 17851, None],
    "Country": ["United Kingdom"] * 4,
}


def test_returns_and_guests_are_no_events_to_learn_from(tmp_path):
    (tmp_path / "online-retail").mkdir()
    pl.DataFrame(INVOICES).write_parquet(tmp_path / "online-retail/online_retail_2010_2011.parquet")
    events, items = named("online-retail", tmp_path)
    assert events.select("user_id", "price", "quantity", "basket_id").rows() == [
        ("17850", 2.55, 6.0, "536365"),
        ("17851", 2.55, 2.0, "536380"),
    ]
    assert items["title"].to_list() == ["WHITE HEART"]


def test_days_that_both_years_hold_are_read_once(tmp_path):
    folder = tmp_path / "online-retail-ii"
    folder.mkdir()
    earlier = [datetime(2010, 11, 30, 8), *INVOICES["InvoiceDate"][1:]]
    pl.DataFrame(INVOICES | {"InvoiceDate": earlier}).write_parquet(folder / "online_retail_2009_2010.parquet")
    pl.DataFrame(INVOICES).write_parquet(folder / "online_retail_2010_2011.parquet")
    events, _ = collected("online-retail-ii", tmp_path)
    assert events.height == 1 + 4


SHEET = """<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>StockCode</t></is></c><c r="C1" t="s"><v>1</v></c>
<c r="D1" t="s"><v>2</v></c><c r="E1" t="s"><v>3</v></c><c r="F1" t="s"><v>4</v></c><c r="G1" t="s"><v>5</v></c>
<c r="H1" t="s"><v>6</v></c></row>
<row r="2"><c r="A2"><v>489434</v></c><c r="B2"><v>85048</v></c><c r="C2" t="s"><v>7</v></c><c r="D2"><v>12</v></c>
<c r="E2" s="1"><v>40148.322916666664</v></c><c r="F2"><v>6.95</v></c><c r="G2"><v>13085</v></c>
<c r="H2" t="str"><v>United Kingdom</v></c></row>
<row r="3"><c r="A3"><v>489435</v></c><c r="B3"><v>22350</v></c><c r="D3"><v>1</v></c><c r="E3"><v>40148.5</v></c>
<c r="F3"><v>2.5</v></c><c r="H3" t="str"><v>EIRE</v></c></row></sheetData></worksheet>"""
WORDS = ("Invoice", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country", "15CM <b>BALL</b>")


def test_the_publishers_workbook_is_read_without_another_package(tmp_path):
    (tmp_path / "online-retail-ii").mkdir()
    strings = "".join(f"<si><t>{word}</t></si>" for word in (*WORDS[:-1], "15CM "))
    strings = strings.replace("<t>15CM </t>", "<r><t>15CM </t></r><r><t>BALL</t></r>")
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        packed.writestr("xl/sharedStrings.xml", f"<sst {space}>{strings}</sst>")
        packed.writestr("xl/worksheets/sheet1.xml", SHEET)
    (tmp_path / "online-retail-ii/online_retail_II.xlsx").write_bytes(body.getvalue())
    events, items = collected("online-retail-ii", tmp_path)
    first, second = events.rows(named=True)
    assert (first["user_id"], first["item_id"], first["price"]) == ("13085", "85048", 6.95)
    assert first["time"] == datetime(2009, 12, 1, 7, 45, tzinfo=UTC)
    assert (second["user_id"], second["store_id"]) == (None, "EIRE")
    assert items.select("item_id", "title").rows() == [("22350", "22350"), ("85048", "15CM BALL")]


def test_the_package_of_the_journey_is_read_from_a_folder(tmp_path):
    folder = tmp_path / "complete-journey"
    folder.mkdir()
    line = {
        "household_id": ["900"], "store_id": ["330"], "basket_id": ["31198570044"], "product_id": ["1095275"],
        "quantity": [2.0], "sales_value": [1.0], "retail_disc": [0.5], "coupon_disc": [0.0], "coupon_match_disc": [0.0],
        "week": [1], "transaction_timestamp": [datetime(2017, 1, 1, 11, 53, 26)],
    }  # fmt: skip
    pl.DataFrame(line).write_parquet(folder / "transactions.parquet")
    product = {
        "product_id": ["1095275"], "manufacturer_id": ["2"], "department": ["PASTRY"], "brand": ["National"],
        "product_category": ["ROLLS"], "product_type": ["ROLLS: BAGELS"], "package_size": ["4 OZ"],
    }  # fmt: skip
    pl.DataFrame(product).write_parquet(folder / "products.parquet")
    events, items = named("complete-journey", tmp_path)
    assert events.select("price", "discount").row(0) == (0.5, pytest.approx(1 / 3))
    assert items["title"].to_list() == ["ROLLS: BAGELS 4 OZ"]
