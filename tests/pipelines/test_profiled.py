import pytest
from mlflow import MlflowClient

from recloop.config import load
from recloop.errors import BadConfig
from recloop_pipelines import ingest, train
from recloop_pipelines.settings import settings

SASREC = "kind: sasrec\n  sasrec: {dim: 8, blocks: 1, heads: 1, length: 20, negatives: 16, batch: 64, epochs: 1}"


def configured(shop, model, trainer):
    text = shop.read_text()
    begin, end = text.index("model:"), text.index("evaluation:")
    shop.write_text(f"{text[:begin]}model:\n  {model}\ntrainer: {trainer}\n{text[end:]}")
    return load(shop)


def fitted(config):
    root = f"{settings().store_uri}/shop"
    events = ingest.collect(config=config, out=f"{root}/events/a")
    checked = ingest.check(config=config, out=f"{root}/checked/a", events=events)
    dataset = train.prepare(config=config, out=f"{root}/dataset/a", checked=checked)
    return train.fit(config=config, out=f"{root}/model/a", dataset=dataset)


def profiles():
    client = MlflowClient(settings().mlflow_uri)
    experiment = client.get_experiment_by_name("shop")
    return client, client.search_runs([experiment.experiment_id]) if experiment else []


def test_the_profile_of_a_fit_is_a_run_of_mlflow(shop):
    model = fitted(configured(shop, SASREC, "{threads: 1, profile: true}"))
    client, (run,) = profiles()
    assert run.info.run_name == "a profile"
    assert run.data.tags["model.uri"] == model
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"sasrec.trace.json", "sasrec.txt"}


def test_a_model_without_torch_has_no_profile(shop):
    fitted(configured(shop, "kind: ease", "{threads: 1, profile: true}"))
    assert profiles()[1] == []


def test_a_strategy_that_shards_weights_is_refused(shop):
    with pytest.raises(BadConfig, match=r"'fsdp' is not supported[\s\S]*Use auto or ddp"):
        configured(shop, SASREC, "{strategy: fsdp}")
