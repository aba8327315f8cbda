"""Spark with Iceberg's runtime."""
import glob
import os

from questions import COLUMNS, local, named, plain, printed
from servers import KEY, SECRET


def session(weed):
    os.environ.update(JAVA_HOME=os.environ["SPARK_JAVA"], AWS_REGION="us-east-1")
    from pyspark.sql import SparkSession
    builder = SparkSession.builder.master("local[2]").config("spark.jars", ",".join(glob.glob(os.environ["SPARK_JARS"] + "/*.jar")))
    for name, value in {"ui.enabled": "false", "ui.showConsoleProgress": "false", "sql.shuffle.partitions": "2", "driver.memory": "2g", "driver.host": "127.0.0.1",
                        "sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"}.items():
        builder = builder.config("spark." + name, value)
    for name, value in {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "rest", ".uri": weed.rest, ".warehouse": weed.warehouse, ".credential": f"{KEY}:{SECRET}",
                        ".oauth2-server-uri": weed.tokens, ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO", ".s3.endpoint": weed.s3, ".s3.path-style-access": "true",
                        ".s3.access-key-id": KEY, ".s3.secret-access-key": SECRET, ".client.region": "us-east-1"}.items():
        builder = builder.config("spark.sql.catalog.lake" + name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def check(file, report):
    spark, events = session(file.weed), "lake." + file.table

    def ask(sql):
        return [list(r) for r in spark.sql(sql).collect()]

    spark.conf.set("spark.sql.session.timeZone", "UTC")
    nulls = ", ".join(f"count(*) - count(`{name}`)" for name in COLUMNS)

    def figures():
        spark.sql(f"REFRESH TABLE {events}")
        return ask(f"SELECT count(*), count(DISTINCT id), sum(batch), unix_micros(min(`timestamp`)), unix_micros(max(`timestamp`)), {nulls} FROM {events}")[0]

    report.compare("figures", file.figures(), figures())
    columns = ", ".join("CAST(unix_micros(`timestamp`) AS STRING)" if name == "timestamp" else f"CAST(`{name}` AS STRING)" for name in COLUMNS)
    for want in file.some(20):
        report.compare("id " + want[0], [want], ask(f"SELECT {columns} FROM {events} WHERE id = '{want[0]}'"))
    day = "`timestamp` >= TIMESTAMP '2026-01-20 00:00:00Z' AND `timestamp` < TIMESTAMP '2026-01-21 00:00:00Z'"
    report.compare("a day", file.day(), ask(f"SELECT count(*) FROM {events} WHERE {day}")[0][0])
    files = len(spark.sql(f"SELECT * FROM {events} WHERE {day}").inputFiles())
    everything = ask(f"SELECT count(*) FROM {events}.files")[0][0]
    report.compare(f"a day reads few files ({files} of {everything})", True, files * 10 <= everything)
    snapshot = ask(f"SELECT snapshot_id FROM {events}.snapshots ORDER BY committed_at LIMIT 1")[0][0]
    report.compare("an earlier snapshot", file.first, ask(f"SELECT count(*) FROM {events} VERSION AS OF {snapshot}")[0][0])
    for zone, name, options in named():
        spark.conf.set("spark.sql.session.timeZone", zone)
        frame = spark.sql(printed(file.datasync, "spark", events, zone, name, options))
        form = "date_format(`%s`, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX\")"
        rows = frame.selectExpr(*((form if kind == "timestamp" else "CAST(`%s` AS STRING)") % column for column, kind in frame.dtypes)).collect()
        report.compare(f"{name} {options} in {zone}", local(file.datasync, file.database, zone, name, options), [[plain(v) for v in r] for r in rows])
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    file.compacted(report, lambda: ask(f"CALL lake.system.rewrite_data_files(table => '{file.table}', options => map('rewrite-all', 'true'))"), figures)
    spark.stop()
