"""`grpc_stream.py serve PORT` answers each message of a stream; `grpc_stream.py ask TARGET` sends five and prints what comes."""

import sys
import time
from concurrent import futures

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(lambda messages, _: (b"echo " + one for one in messages))


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((Echo(),))
    server.add_insecure_port(f"[::]:{port}")
    server.start()
    print("listening", flush=True)
    server.wait_for_termination()


def ask(target):
    def messages():
        for number in range(5):
            yield b"%d" % number
            time.sleep(0.05)

    call = grpc.insecure_channel(target).stream_stream("/echo.Echo/Chat")
    for answer in call(messages(), timeout=10):
        print(answer.decode(), flush=True)


serve(sys.argv[2]) if sys.argv[1] == "serve" else ask(sys.argv[2])
