"""An authority of a test's own, and who it vouches for."""
import subprocess


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True, timeout=60)


def make_certificates(folder, *names):
    """ca.pem, and for each name NAME.pem and NAME.key, in `folder`."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj", "/CN=test",
            "-keyout", "ca.key", "-out", "ca.pem")
    for name in names:
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (folder / "extensions").write_text(f"subjectAltName=DNS:{name}")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", 2,
                "-extfile", "extensions", "-out", f"{name}.pem")
