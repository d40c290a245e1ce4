using System.Globalization;

namespace StreamLstm.Tests.Simulation;

/// <summary>What happens to the simulated program, in order.</summary>
internal enum Happening
{
    /// <summary>The source that can be asked again hands in its next batch.</summary>
    Batch,

    /// <summary>Somebody pushes the next batch, and sends it again until it is acknowledged.</summary>
    Push,

    /// <summary>So many seconds pass.</summary>
    Tick,

    /// <summary>The wall clock is set: by so many minutes.</summary>
    Clock,

    /// <summary>A snapshot begins; with 1 nothing else comes until it is taken.</summary>
    Snapshot,

    /// <summary>New base weights go into service.</summary>
    Swap,

    /// <summary>Somebody labels the newest incident.</summary>
    Label,

    /// <summary>Somebody accepts a stream's level.</summary>
    Accept,

    /// <summary>Somebody asks for maintenance.</summary>
    Maintain,

    /// <summary>Other things are asked of alerts.</summary>
    Ask,

    /// <summary>The disk is full, for so many writes.</summary>
    Full,

    /// <summary>A sync fails.</summary>
    SyncFails,

    /// <summary>The power goes, so many writes, syncs or renames from now.</summary>
    Crash,

    /// <summary>The program is stopped in order.</summary>
    Stop,

    /// <summary>The power goes, and a bit of the newest snapshot has turned.</summary>
    Rot,
}

/// <summary>One thing that happens.</summary>
/// <param name="What">What it is.</param>
/// <param name="Argument">How many, which, how long; as <see cref="Happening"/> says.</param>
internal readonly record struct Step(Happening What, int Argument)
{
    public override string ToString() => Argument == 0 ? $"{What}" : string.Create(CultureInfo.InvariantCulture, $"{What} {Argument}");
}

/// <summary>A seed, and what it makes happen.</summary>
/// <param name="Seed">Of the order in which tasks go on, and of what a crash leaves.</param>
/// <param name="Steps">What happens.</param>
internal sealed record History(int Seed, IReadOnlyList<Step> Steps)
{
    /// <summary>The history of a seed: about twenty batches, four lives, and whatever else may happen.</summary>
    public static History Of(int seed)
    {
        var random = new Random(seed);
        List<Step> steps = [];
        int length = 24 + random.Next(36);

        for (int i = 0; i < length; i++)
        {
            steps.Add(random.Next(100) switch
            {
                < 46 => new(Happening.Batch, 0),
                < 60 => new(Happening.Push, 0),
                < 68 => new(Happening.Tick, 1 + random.Next(16)),
                < 79 => new(Happening.Snapshot, random.Next(2)),
                < 82 => new(Happening.Swap, 0),
                < 85 => new(Happening.Label, random.Next(2)),
                < 87 => new(Happening.Accept, random.Next(3)),
                < 88 => new(Happening.Maintain, random.Next(3)),
                < 89 => new(Happening.Ask, random.Next(3)),
                < 91 => new(Happening.Full, 1 + random.Next(6)),
                < 92 => new(Happening.SyncFails, 0),
                < 93 => new(Happening.Clock, random.Next(-3, 4)),
                < 97 => new(Happening.Crash, random.Next(24)),
                < 99 => new(Happening.Stop, 0),
                _ => new(Happening.Rot, random.Next()),
            });
        }

        return new History(seed, steps);
    }

    /// <summary>The fewest steps found with which a violation is still seen: steps are left out, many at once and then one by one, while it is.</summary>
    /// <param name="violation">What a history violates; null for nothing.</param>
    public History Shrunk(Func<History, string?> violation)
    {
        History shortest = this;

        for (int width = Math.Max(1, Steps.Count / 2); width >= 1; width /= 2)
        {
            for (int from = 0; from < shortest.Steps.Count;)
            {
                History candidate = shortest with { Steps = [.. shortest.Steps.Take(from), .. shortest.Steps.Skip(from + width)] };

                if (violation(candidate) is not null)
                {
                    shortest = candidate;
                }
                else
                {
                    from += width;
                }
            }
        }

        return shortest;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {string.Join(", ", Steps)}");
}
