"""What PyTorch makes of the same networks and the same training: printed as JSON, kept in torch-peers.json.

Needs Debian's python3-torch and base-files (/usr/share/common-licenses/GPL-3):
    /usr/bin/python3 torch_peers.py > torch-peers.json
Sizes, steps, learning rates and clipping are those of TextPerplexity.cs and SequenceDemonstration.cs; where weights begin is PyTorch's own way.
"""

import datetime
import json
import math
import random
import sys

import torch
from torch import nn

SEEDS = (1, 2, 3)
torch.set_num_threads(1)


def schedule(step, warm_up, fall, last):
    """Rising over a warm-up, then falling along half a cosine: LearningRateSchedule."""
    if step < warm_up:
        return (step + 1) / warm_up
    done = min(1, (step - warm_up) / fall)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * done))


def perplexity(seed, hidden=64, tracks=16, steps=64, epochs=40):
    torch.manual_seed(seed)
    text = open("/usr/share/common-licenses/GPL-3", encoding="utf-8").read()
    letters = sorted(set(text))
    codes = torch.tensor([letters.index(letter) for letter in text])
    cut = len(codes) * 9 // 10
    train, test = codes[:cut], codes[cut:]
    net, head = nn.LSTM(len(letters), hidden, batch_first=True), nn.Linear(hidden, len(letters))
    parameters = [*net.parameters(), *head.parameters()]
    adam = torch.optim.AdamW(parameters, lr=0.005, betas=(0.9, 0.99), weight_decay=1e-4)
    length = (len(train) - 1) // tracks
    rows = torch.stack([train[i * length:(i + 1) * length + 1] for i in range(tracks)])
    eye, total, done = torch.eye(len(letters)), epochs * math.ceil(length / steps), 0
    for _ in range(epochs):
        state = None
        for start in range(0, length, steps):
            end = min(start + steps, length)
            for group in adam.param_groups:
                group["lr"] = 0.005 * schedule(done, 20, total, 0.05)
            out, state = net(eye[rows[:, start:end]], state)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(head(out).flatten(0, 1), rows[:, start + 1:end + 1].flatten())
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1)
            adam.step()
            done += 1
    with torch.no_grad():
        out, _ = net(eye[test[:-1]][None])
        return math.exp(nn.functional.cross_entropy(head(out)[0], test[1:]).item())


MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
         "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def date(random_):
    day = datetime.date(1950, 1, 1) + datetime.timedelta(days=random_.randrange(36525))
    month = MONTHS[day.month - 1]
    ways = [f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}", f"{day.day:02}.{day.month:02}.{day.year}", f"{day.day}/{day.month}/{day.year}",
            f"{day.year}/{day.month}/{day.day}", f"{month[:3]} {day.day} {day.year}", f"{day.day} {month[:3]} '{day.year % 100:02}",
            f"{DAYS[day.weekday()]} {day.day} {month} {day.year}"]
    return list(random_.choice(ways).lower()), list(day.isoformat())


def words(number):
    if number >= 1000:
        rest = number % 1000
        return words(number // 1000) + ["thousand"] + ([] if rest == 0 else (["and"] if rest < 100 else []) + words(rest))
    if number >= 100:
        return [SMALL[number // 100], "hundred"] + ([] if number % 100 == 0 else ["and"] + words(number % 100))
    if number >= 20:
        return [TENS[number // 10]] + ([] if number % 10 == 0 else [SMALL[number % 10]])
    return [SMALL[number]]


def number(random_):
    value = random_.randrange(10 ** random_.randrange(1, 6))
    return list(str(value)), words(value)


def reversal(least, most):
    def draw(random_):
        letters = [random_.choice("abcdefgh") for _ in range(random_.randint(least, most))]
        return letters, letters[::-1]
    return draw


class Pair(nn.Module):
    def __init__(self, source, target, hidden):
        super().__init__()
        self.source, self.target = torch.eye(source), torch.eye(target + 1)
        self.encoder, self.decoder = nn.LSTM(source, hidden, batch_first=True), nn.LSTM(target + 1, hidden, batch_first=True)
        self.head, self.end = nn.Linear(hidden, target + 1), target

    def loss(self, sources, targets):
        _, state = self.encoder(self.source[torch.tensor(sources)])
        longest = max(map(len, targets)) + 1
        fed = torch.tensor([[self.end, *target] + [self.end] * (longest - 1 - len(target)) for target in targets])
        came = torch.tensor([[*target, self.end] + [-100] * (longest - 1 - len(target)) for target in targets])
        out, _ = self.decoder(self.target[fed], state)
        return nn.functional.cross_entropy(self.head(out).flatten(0, 1), came.flatten(), ignore_index=-100)

    @torch.no_grad()
    def write(self, source, most=40):
        _, state = self.encoder(self.source[torch.tensor([source])])
        token, written = self.end, []
        while len(written) < most:
            out, state = self.decoder(self.target[torch.tensor([[token]])], state)
            token = self.head(out)[0, 0].argmax().item()
            if token == self.end:
                break
            written.append(token)
        return written


def learn(draw, sources, targets, seed, steps, hidden=96, batch=24):
    torch.manual_seed(seed)
    random_ = random.Random(seed)
    by_length = {}
    pairs = []
    for _ in range(20000):
        source, target = draw(random_)
        pair = [sources.index(token) for token in source], [targets.index(token) for token in target]
        pairs.append(pair)
        by_length.setdefault(len(source), []).append(pair)
    model = Pair(len(sources), len(targets), hidden)
    adam = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.99))
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = 0.01 * schedule(step, steps // 50, steps, 0.02)
        group = by_length[len(random_.choice(pairs)[0])]
        chosen = [random_.choice(group) for _ in range(batch)]
        loss = model.loss([source for source, _ in chosen], [target for _, target in chosen])
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        adam.step()
    return model


def right(model, draw, sources, targets, seed):
    random_ = random.Random(seed + 1000)
    good = 0
    for _ in range(500):
        source, target = draw(random_)
        good += model.write([sources.index(token) for token in source]) == [targets.index(token) for token in target]
    return good / 500


def main(steps):
    letters = list(" .,/-'0123456789abcdefghijklmnopqrstuvwxyz")
    vocabulary = SMALL + TENS[2:] + ["hundred", "thousand", "and"]
    scores = {"perplexity": [], "dates into ISO 8601": [], "numbers into words": []}
    for seed in SEEDS:
        scores["perplexity"].append(perplexity(seed))
        for name, draw, source, target in (("dates into ISO 8601", date, letters, list("0123456789-")), ("numbers into words", number, list("0123456789"), vocabulary)):
            scores[name].append(right(learn(draw, source, target, seed, steps), draw, source, target, seed))
        model = learn(reversal(1, 8), list("abcdefgh"), list("abcdefgh"), seed, steps)
        for length in (4, 6, 8, 9, 10, 12, 16):
            scores.setdefault(f"reversal at length {length}", []).append(right(model, reversal(length, length), list("abcdefgh"), list("abcdefgh"), seed))
        print(seed, scores, file=sys.stderr)
    print(json.dumps({"torch": torch.__version__, "steps": steps, "scores": scores}, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
