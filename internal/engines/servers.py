"""Servers that a run starts and ends: SeaweedFS with S3 and a REST catalog, and Trino."""
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

KEY, SECRET = "lakeadmin", "lakesecret"


def ports(n):
    """n ports that are free now, and so are those 10,000 above."""
    found = []
    for port in range(20_000 + os.getpid() % 9_000, 50_000):
        try:
            for p in (port, port + 10_000):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
        except OSError:
            continue
        found.append(port)
        if len(found) == n:
            return found
    raise RuntimeError("no free ports")


class Server:
    """A process with all its children, and a log of its output."""

    def start(self, command, log, url, seconds, **options):
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if self.ready(answer.read()):
                        return
            except urllib.error.HTTPError as e:
                if e.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        self.__exit__()
        with open(log, errors="replace") as f:
            raise RuntimeError(f"{command[0]} did not start: {f.read()[-1500:]}")

    def ready(self, _):
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Weed(Server):
    """SeaweedFS."""

    def __init__(self, program, folder):
        data = os.path.join(folder, "weed")
        os.mkdir(data)
        free = ports(6)
        command = [program, "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-admin.ui=false", "-webdav=false",
                   "-bucket=lake", "-tableBucket=iceberg-tables", f"-s3.port.iceberg={free[5]}", "-s3.port.lance=0"]
        for name, port in zip(["master", "volume", "filer", "s3", "admin"], free):
            command += [f"-{name}.port={port}", f"-{name}.port.grpc={port + 10_000}"]
        self.s3, self.rest, self.warehouse = f"http://127.0.0.1:{free[3]}", f"http://127.0.0.1:{free[5]}", "s3://iceberg-tables"
        self.catalog = f"{self.rest}?warehouse={self.warehouse}"
        self.tokens = self.rest + "/v1/oauth/tokens"
        self.start(command, data + ".log", self.rest + "/v1/config", 180, env={**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}, cwd=data)

    def environ(self):
        return {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "DATASYNC_CATALOG_CREDENTIAL": f"{KEY}:{SECRET}"}


class Trino(Server):
    """Trino with the catalog lake."""

    def __init__(self, home, java, folder, weed):
        etc, port = os.path.join(folder, "trino"), ports(1)[0]
        os.makedirs(os.path.join(etc, "catalog"))
        self.url = f"http://127.0.0.1:{port}"
        self.write(etc, "node.properties", f"node.environment=test\nnode.id=one\nnode.data-dir={etc}/data\nnode.internal-address=127.0.0.1\n")
        self.write(etc, "jvm.config", "-server\n-Xmx2G\n-XX:+UseG1GC\n")
        self.write(etc, "config.properties", f"coordinator=true\nnode-scheduler.include-coordinator=true\nhttp-server.http.port={port}\ndiscovery.uri={self.url}\n")
        self.write(etc, "catalog/lake.properties", f"""connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri={weed.rest}
iceberg.rest-catalog.warehouse={weed.warehouse}
iceberg.rest-catalog.security=OAUTH2
iceberg.rest-catalog.oauth2.credential={KEY}:{SECRET}
iceberg.rest-catalog.oauth2.server-uri={weed.tokens}
fs.native-s3.enabled=true
s3.endpoint={weed.s3}
s3.region=us-east-1
s3.path-style-access=true
s3.aws-access-key={KEY}
s3.aws-secret-key={SECRET}
""")
        command = [os.path.join(home, "bin", "launcher"), "--etc-dir", etc, "run"]
        env = {**os.environ, "JAVA_HOME": java, "PATH": f"{java}/bin:{os.environ['PATH']}"}
        self.start(command, etc + ".log", self.url + "/v1/info", 900, env=env)

    @staticmethod
    def write(folder, name, text):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)

    def ready(self, answer):
        return b'"starting":false' in answer
