"""Pulls the events into a DuckDB file by dlt's own REST API source."""

import argparse
import os
from datetime import datetime, timezone

# What dlt's page on performance recommends: files that are closed after some items, so that
# they can be normalised in parallel, larger buffers, no compression of what is read again
# at once.
RECOMMENDED = {
    "NORMALIZE__WORKERS": str(os.cpu_count()),
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "DATA_WRITER__FILE_MAX_ITEMS": "50000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}

# The ways to run it: settings, and the format of the files that are loaded.
WAYS = {
    "defaults": ({}, None),
    "recommended settings": (RECOMMENDED, None),
    "recommended settings, Parquet": (RECOMMENDED, "parquet"),
}

COLUMNS = {
    "id": {"data_type": "text"},
    "session_id": {"data_type": "text"},
    "user_id": {"data_type": "text"},
    "type": {"data_type": "text"},
    "name": {"data_type": "text"},
    "timestamp": {"data_type": "timestamp"},
    "properties": {"data_type": "json"},
    "device_type": {"data_type": "text"},
    "browser": {"data_type": "text"},
}


def flatten(event):
    """Makes a row of an event. Left alone, dlt takes epoch milliseconds for seconds."""
    at = event["timestamp"]
    if isinstance(at, str):
        event["timestamp"] = datetime.fromisoformat(at.replace("Z", "+00:00"))
    else:
        event["timestamp"] = datetime.fromtimestamp(at / 1000, timezone.utc)
    session = event.pop("session")
    event["device_type"] = session["deviceType"]
    event["browser"] = session["browser"]
    return event


def source_config(url, key):
    """Describes the API to dlt."""
    return {
        "client": {"base_url": url, "headers": {"X-API-Key": key, "Cookie": "dashboard_api_key=" + key}},
        "resources": [
            {
                "name": "events",
                "columns": COLUMNS,
                "max_table_nesting": 0,
                "endpoint": {
                    "path": "/api/v1/events",
                    "params": {"limit": 5000},
                    "data_selector": "data",
                    "paginator": {"type": "cursor", "cursor_path": "pagination.nextCursor", "cursor_param": "cursor"},
                },
                "processing_steps": [{"map": flatten}],
            }
        ],
    }


def main():
    """Reads the command line and pulls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="where the API is")
    parser.add_argument("--key", required=True, help="the API key")
    parser.add_argument("--db", required=True, help="the DuckDB file to make")
    parser.add_argument("--folder", required=True, help="where dlt keeps what it works with")
    parser.add_argument("--way", choices=WAYS, required=True)
    args = parser.parse_args()

    settings, file_format = WAYS[args.way]
    os.environ.update(settings)
    # dlt reads the environment when it is imported.
    import dlt
    from dlt.sources.rest_api import rest_api_source

    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.duckdb(args.db), dataset_name="pulled", pipelines_dir=args.folder
    )
    pipeline.run(rest_api_source(source_config(args.url, args.key)), loader_file_format=file_format)


if __name__ == "__main__":
    main()
