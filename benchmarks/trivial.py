"""The framework alone: an app that reads a body and answers with the bytes of a usual answer. Argument: port."""

import sys

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response

app = FastAPI()
ANSWER = (
    b'{"items":['
    + b",".join(b'{"item_id":"i%03d","score":0.12345,"title":"Item number %03d"}' % (n, n) for n in range(20))
    + b"]}"
)


@app.post("/v1/recommendations")
async def trivial(request: Request) -> Response:
    """Always the same."""
    await request.body()
    return Response(ANSWER, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
