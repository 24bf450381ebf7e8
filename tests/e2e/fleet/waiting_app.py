"""An application that waits rather than computes: each request takes 100 ms, so many at once are worked on (PLACES),
the others wait within. Its first argument is the port.

/healthz answers at once, unless the file HANG is there: then nothing is answered any more.
/pid answers at once with the process id; /leak takes 64 MiB more for good.
The environment has BOOT, seconds until it listens."""
import asyncio
import os
import signal
import sys
import time

places = asyncio.Semaphore(int(os.environ.get("PLACES", "20")))
hang_file = os.environ.get("HANG", "")
leaked = []
closing = asyncio.Event()


def hangs():
    return hang_file and os.path.exists(f"{hang_file}.{os.getpid()}")


async def answer(path):
    if hangs():
        await asyncio.sleep(3600)
    if path == "/leak":
        leaked.append(os.urandom(1 << 20) * 64)
    elif path not in ("/healthz", "/pid"):
        async with places:
            await asyncio.sleep(0.1)
    return str(os.getpid()).encode()


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await answer(head.split(b" ", 2)[1].decode())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
            if closing.is_set():
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    time.sleep(float(os.environ.get("BOOT", "0")))
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, closing.set)
    await closing.wait()
    server.close()


asyncio.run(main())
