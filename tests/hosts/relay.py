#!/usr/bin/env python3
"""A distance: passes TCP connections on, each byte MS milliseconds late in both directions.

  relay.py MS PORT:ADDRESS:PORT ...      listens on 127.0.0.1
"""
import asyncio
import sys

DELAY_S = int(sys.argv[1]) / 1000


async def carry(reader, writer):
    on_the_way = asyncio.Queue(maxsize=1024)
    clock = asyncio.get_running_loop().time

    async def arrive():
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(max(0, due - clock()))
            if not data:
                return
            writer.write(data)
            await writer.drain()

    arriving = asyncio.ensure_future(arrive())
    try:
        data = b"?"
        while data and not arriving.done():
            data = await reader.read(65536)
            await on_the_way.put((clock() + DELAY_S, data))
        await arriving
    except OSError:
        pass  # one of both has gone
    finally:
        arriving.cancel()
        writer.close()


async def listen(port, address, to):
    async def accepted(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(address, to)
        except OSError:
            return writer.close()
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    return await asyncio.start_server(accepted, "127.0.0.1", port)


async def main():
    for route in sys.argv[2:]:
        port, address, to = route.split(":")
        await listen(int(port), address, int(to))
    await asyncio.Event().wait()


asyncio.run(main())
