#!/usr/bin/env python3
"""Makes the numbers that TorchGoldenTests compares with: python3 make_goldens.py [--float32] [directory]

Needs PyTorch (Debian: apt-get install python3-torch). For one, two and three layers it writes a directory of
safetensors files:

  weights        a module's state dict, both biases drawn
  gradients      of the mean squared loss below, as a state dict (bias_hh zero: ours has one bias, its gradient stands
                 in bias_ih)
  adam           the parameters after ten steps of torch.optim.Adam,
  adamw          of torch.optim.AdamW with weight decay,
  adam_clipped   of Adam after torch.nn.utils.clip_grad_norm_; in all three bias_hh is folded into bias_ih and frozen at
                 zero, because Adam would move two summed biases twice as far as one
  sequences      everything else: inputs, states (per layer h, then c), outputs, targets, loss

All is computed in double from float32 inputs and stored as float32, so that what the test measures is our error and
not the sum of two. With --float32 PyTorch computes in float32 as it does by default, and the differences between the
two are printed: that is what PyTorch itself rounds.
"""
import json
import pathlib
import struct
import sys

import torch

# layers: sizes (input, hidden, output) and what the module calls its two parts
CASES = {1: ((3, 20, 5), "lstm", "linear"), 2: ((1, 32, 4), "encoder", "head"), 3: ((5, 13, 3), "net.rnn", "net.fc")}
SEQUENCES, STEPS, SINGLE_STEPS = 2, 12, 4
ADAM_STEPS, LEARNING_RATE, BETAS, EPSILON, WEIGHT_DECAY, CLIP_NORM = 10, 0.01, (0.9, 0.99), 1e-8, 0.05, 0.05


class Network(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        (inputs, hidden, outputs), self.lstm_name, self.linear_name = CASES[layers]
        self.lstm = torch.nn.LSTM(inputs, hidden, layers, batch_first=True)
        self.linear = torch.nn.Linear(hidden, outputs)

    def forward(self, inputs, state):
        """inputs (batch, T, I), state (batch, L, 2, H): outputs (batch, T, O) and the state after."""
        h, c = (state[:, :, i].transpose(0, 1).contiguous() for i in (0, 1))
        hidden, (h, c) = self.lstm(inputs, (h, c))
        return self.linear(hidden), torch.stack((h, c), dim=2).transpose(0, 1)

    def named(self, tensors):
        """Names of the attributes here to those of the case."""
        names = {"lstm": self.lstm_name, "linear": self.linear_name}
        return {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": value for key, value in tensors.items()}


def write_safetensors(path, tensors):
    """Length of the header, header, little-endian data: the whole format."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        values = tensor.detach().to(torch.float32).contiguous()
        raw = struct.pack(f"<{values.numel()}f", *values.flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def make(layers, dtype):
    """File name to tensors."""
    generator = torch.Generator().manual_seed(layers)
    (inputs, hidden, outputs), _, _ = CASES[layers]

    def draw(*sizes, scale=1.0):
        return (torch.randn(*sizes, generator=generator) * scale).to(dtype)

    network = Network(layers).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.3))
    files = {"weights": network.named(dict(network.state_dict()))}
    files["weights"] = {name: tensor.clone() for name, tensor in files["weights"].items()}

    single_inputs, single_states = draw(SINGLE_STEPS, 1, inputs), draw(SINGLE_STEPS, layers, 2, hidden, scale=0.5)
    with torch.no_grad():
        single_outputs, single_states_after = network(single_inputs, single_states)
    window, states = draw(SEQUENCES, STEPS, inputs), draw(SEQUENCES, layers, 2, hidden, scale=0.5)
    targets = draw(SEQUENCES, STEPS, outputs)
    predicted, states_after = network(window, states)
    loss = torch.nn.functional.mse_loss(predicted, targets)
    loss.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in network.named_parameters()}
    files["gradients"] = network.named(
        {name: torch.zeros_like(g) if "bias_hh" in name else g for name, g in gradients.items()})
    files["sequences"] = {
        "single_inputs": single_inputs, "single_states": single_states,
        "single_outputs": single_outputs, "single_states_after": single_states_after,
        "inputs": window, "states": states, "outputs": predicted, "states_after": states_after,
        "targets": targets, "loss": loss.reshape(1),
    }

    with torch.no_grad():
        for layer in range(layers):
            first, second = getattr(network.lstm, f"bias_ih_l{layer}"), getattr(network.lstm, f"bias_hh_l{layer}")
            # As the reader sums them: in float32.
            first.copy_((first.float() + second.float()).to(dtype))
            second.zero_()
            second.requires_grad_(False)
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for name in ("adam", "adamw", "adam_clipped"):
        network.load_state_dict(start)
        moved = [parameter for parameter in network.parameters() if parameter.requires_grad]
        if name == "adamw":
            optimizer = torch.optim.AdamW(moved, LEARNING_RATE, BETAS, EPSILON, weight_decay=WEIGHT_DECAY)
        else:
            optimizer = torch.optim.Adam(moved, LEARNING_RATE, BETAS, EPSILON)
        for _ in range(ADAM_STEPS):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(window, states)[0], targets).backward()
            if name == "adam_clipped":
                norm = torch.nn.utils.clip_grad_norm_(moved, CLIP_NORM)
                assert norm > CLIP_NORM, "the variant is there to clip"
            optimizer.step()
        files[name] = network.named({key: tensor.clone() for key, tensor in network.state_dict().items()})
    return files


def main(arguments):
    torch.set_num_threads(1)
    directory = pathlib.Path(next((a for a in arguments if not a.startswith("--")), pathlib.Path(__file__).parent))
    for layers in CASES:
        files = make(layers, torch.float64)
        if "--float32" in arguments:
            for name, tensors in make(layers, torch.float32).items():
                worst = max((t.double() - files[name][key]).abs().max().item() for key, t in tensors.items())
                largest = max(t.abs().max().item() for t in files[name].values())
                print(f"{layers} layers, {name}: PyTorch in float32 differs by {worst:.1e}, largest value {largest:.2g}")
            continue
        target = directory / f"{layers}-layer"
        target.mkdir(exist_ok=True)
        for name, tensors in files.items():
            write_safetensors(target / f"{name}.safetensors", tensors)


if __name__ == "__main__":
    main(sys.argv[1:])
