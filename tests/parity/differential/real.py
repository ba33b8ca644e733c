"""Real Postfix, on a loopback interface of its own: what the lab is held against.

    real.py FOLDER      one batch (JSON) a line comes in, one list of dialogues goes out

`Real` starts this file in private network, mount and process namespaces (unshare(1)), so nothing that Postfix does leaves
them, and the machine's own mail system, resolver and users stay as they are. Configuration, queue and data folders are
within FOLDER. Each batch gets a new instance: its zones, its main.cf, and one smtpd service for each of its configurations.
"""
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys

import model
import responder
from dialogue import SILENCE, Dialogue

AT_ONCE = 8             # dialogues side by side
NEEDED = ("postfix", "postmap", "postconf", "unshare", "ip", "openssl", "saslpasswd2")

MASTER = """
cleanup   unix  n - n - 0 cleanup
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


def missing():
    """Why real Postfix cannot be asked here; empty when it can."""
    if os.geteuid() != 0:
        return "not root"
    absent = [name for name in NEEDED if not shutil.which(name)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    version = subprocess.run(["postconf", "-d", "-h", "mail_version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    if not version.startswith("3.7."):
        return f"Postfix {version.strip()} is not 3.7"
    tables = subprocess.run(["postconf", "-m"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    if "pcre" not in tables:
        return "not installed: postfix-pcre"
    if subprocess.run([*NAMESPACES, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return "no permission to make namespaces"
    return ""


NAMESPACES = ("unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "--propagation", "private")


class Real:
    """A real Postfix in namespaces that end with this object."""

    def __init__(self, folder):
        self.process = subprocess.Popen([*NAMESPACES, sys.executable, __file__, folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def play(self, batch):
        self.process.stdin.write(json.dumps(batch.as_json()) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the side of real Postfix ended")
        answer = json.loads(line)
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# -- within the namespaces --------------------------------------------------------------------------------------------

def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def prepare(folder):
    """The machine as Postfix sees it: its addresses, its resolver and its accounts.

    /etc is a copy: a file mounted over one of the machine's own would go when somebody there replaces that.
    """
    run("ip", "link", "set", "lo", "up")
    for address in (model.HOST_ADDRESS, model.CLIENT_ADDRESS, model.DNS_ADDRESS):
        run("ip", "address", "add", f"{address}/24", "dev", "lo")
    system = [each for each in pwd.getpwall() if each.pw_uid < 1000 or each.pw_name == "nobody"]
    accounts = [f"{each.pw_name}:x:{each.pw_uid}:{each.pw_gid}::/nonexistent:/usr/sbin/nologin" for each in system]
    accounts += [f"{name}:x:{2000 + number}:2000::/nonexistent:/usr/sbin/nologin" for number, name in enumerate(("alice", "bob"))]
    etc = folder / "machine"
    run("cp", "-a", "/etc", etc)
    for name, text in (("resolv.conf", f"nameserver {model.DNS_ADDRESS}\noptions timeout:5 attempts:1\n"),
                       ("hosts", "127.0.0.1 localhost\n"),
                       ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"),
                       ("passwd", "\n".join(accounts) + "\n")):
        (etc / name).unlink(missing_ok=True)
        (etc / name).write_text(text)
    run("mount", "--bind", etc, "/etc")


def certificate(folder):
    """A key and a certificate that it signed itself, made once."""
    path = folder / "chain.pem"
    if not path.exists():
        key, public = folder / "key.pem", folder / "certificate.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={model.HOST}", "-keyout", key, "-out", public)
        path.write_text(key.read_text() + public.read_text())
        path.chmod(0o600)
    return path


class Instance:
    """One running Postfix with the configuration of one batch."""

    def __init__(self, folder, batch):
        self.batch, self.etc = batch, folder / "etc"
        (folder / "maillog").unlink(missing_ok=True)
        shutil.rmtree(self.etc, ignore_errors=True)
        self.etc.mkdir()
        self.main = {
            "compatibility_level": "3.6", "queue_directory": folder / "spool", "data_directory": folder / "data",
            "daemon_directory": "/usr/lib/postfix/sbin", "command_directory": "/usr/sbin",
            "meta_directory": "/etc/postfix", "shlib_directory": "/usr/lib/postfix",
            "sendmail_path": "/usr/sbin/sendmail", "mailq_path": "/usr/bin/mailq",
            "newaliases_path": "/usr/bin/newaliases", "setgid_group": "postdrop", "mail_owner": "postfix",
            "maillog_file": folder / "maillog", "maillog_file_prefixes": folder, "mail_spool_directory": folder / "mbox",
            "cyrus_sasl_config_path": self.etc / "sasl", "myhostname": model.HOST, "mydomain": model.HOST.split(".", 1)[1],
            "inet_protocols": "ipv4", "alias_maps": "", "alias_database": "", "biff": "no", "smtputf8_enable": "yes",
        }
        if batch.users_sasl:
            self.main |= {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_local_domain": "$myhostname",
                          "smtpd_sasl_mechanism_filter": "plain, login, cram-md5, scram-sha-256"}
        if batch.tls:
            self.main |= {"smtpd_tls_chain_files": certificate(folder), "smtpd_tls_security_level": "may"}
        self.main |= batch.main
        self.write()
        self.names = multiprocessing.Process(target=responder.serve, args=(batch.zones, model.DNS_ADDRESS), daemon=True)
        self.names.start()
        if not (folder / "spool").exists():
            for each in ("spool", "data", "mbox"):
                (folder / each).mkdir()
            shutil.chown(folder / "data", "postfix", "postfix")
            run("postfix", "-c", self.etc, "check")         # makes the queue's folders
        for each in ("pid", "public", "private"):               # the last master's; its logger's socket costs seconds
            for old in (folder / "spool" / each).iterdir():
                old.unlink()
        # What `postfix start` does in the end; its script takes seconds.
        run("/usr/lib/postfix/sbin/master", "-w", "-c", self.etc)
        self.master = int((folder / "spool" / "pid" / "master.pid").read_text())

    def placed(self, text):
        return str(text).replace("$lab_files", str(self.etc))

    def write(self):
        master = MASTER + "\n".join(self.batch.master_lines()) + "\n"
        main = "".join(f"{name} = {value}\n" for name, value in self.main.items())
        (self.etc / "main.cf").write_text(self.placed(main))
        (self.etc / "master.cf").write_text(self.placed(master))
        for name in ("dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files", "postfix-files.d"):
            if (source := pathlib.Path("/etc/postfix") / name).exists():
                (shutil.copytree if source.is_dir() else shutil.copyfile)(source, self.etc / name)
        files = self.batch.all_files()
        for name, text in files.items():
            (self.etc / name).write_text(self.placed(text))
        indexed = model.hash_tables(main + master + "".join(files.values()))
        if tables := [f"{kind}:{self.etc / name}" for kind, name in indexed if name in files]:
            run("postmap", *tables)
        (self.etc / "sasl").mkdir()
        accounts = self.etc / "sasldb2"
        (self.etc / "sasl" / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {accounts}\n"
            "mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n")
        for user, password in self.batch.users_sasl.items():
            run("saslpasswd2", "-p", "-c", "-f", accounts, "-u", model.HOST, user, input=password)
        if accounts.exists():
            shutil.chown(accounts, "postfix", "postfix")

    def play(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            transcripts = list(pool.map(play_service, self.batch.services))
        if any([SILENCE] in each for each in transcripts):      # why, is worth knowing
            log = self.main["maillog_file"].read_text(errors="replace").splitlines()
            print("\n".join({line.partition("]: ")[2] for line in log if "fatal: " in line}), file=sys.stderr)
        return transcripts

    def stop(self):
        os.killpg(self.master, signal.SIGKILL)
        self.names.terminate()
        self.names.join()


def play_service(service):
    """The dialogues of one service, one after the other. A service that once stayed silent is not asked again."""
    transcripts, silent = [], False
    for lines in service.dialogues:
        transcript = [SILENCE] if silent else Dialogue(service.port).play(lines)
        silent = silent or transcript == [SILENCE]
        transcripts.append(transcript)
    return transcripts


def main(folder):
    prepare(folder)
    for line in sys.stdin:
        try:
            instance = Instance(folder, model.from_json(json.loads(line)))
            try:
                answer = instance.play()
            finally:
                instance.stop()
        except (RuntimeError, OSError) as problem:
            answer = str(problem)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
