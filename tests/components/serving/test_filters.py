import gc
import weakref

from recloop.serving.filters import Masks
from recloop.serving.schemas import Filters


def test_a_release_that_nobody_serves_leaves_memory_at_once(bundle):
    gc.collect()
    gc.disable()
    try:
        masks = Masks(bundle)
        assert masks.of(Filters(category="FOOD")).any()
        gone = weakref.ref(masks)
        del masks
        assert gone() is None
    finally:
        gc.enable()
