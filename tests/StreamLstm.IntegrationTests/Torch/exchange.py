"""PyTorch's side of TorchExchangeTests: a torch.nn.LSTM with a torch.nn.Linear, and the safetensors format by hand.

exchange.py write WEIGHTS LAYERS INPUT HIDDEN OUTPUT   writes a random module's state dict to WEIGHTS
exchange.py read WEIGHTS LAYERS INPUT HIDDEN OUTPUT    loads WEIGHTS, every name and size as the module has them
Both read inputs (T, I) as JSON from standard input and print the outputs (T, O) of one sequence from state zero.
"""
import json
import struct
import sys

import torch


class Network(torch.nn.Module):
    def __init__(self, layers, inputs, hidden, outputs):
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, hidden, layers)
        self.linear = torch.nn.Linear(hidden, outputs)

    def forward(self, inputs):
        return self.linear(self.lstm(inputs)[0])


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = struct.pack(f"<{tensor.numel()}f", *tensor.flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    with open(path, "rb") as file:
        text = file.read(struct.unpack("<Q", file.read(8))[0])
        data = file.read()
    tensors = {}
    for name, entry in json.loads(text).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
            tensors[name] = torch.tensor(values, dtype=torch.float32).reshape(entry["shape"])
    return tensors


mode, path = sys.argv[1:3]
torch.manual_seed(1)
network = Network(*map(int, sys.argv[3:7]))
if mode == "write":
    write(path, network.state_dict())
else:
    network.load_state_dict(read(path), strict=True)
with torch.no_grad():
    json.dump(network(torch.tensor(json.load(sys.stdin))).tolist(), sys.stdout)
