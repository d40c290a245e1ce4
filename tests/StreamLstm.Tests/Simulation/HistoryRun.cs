using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Simulation;

/// <summary>Lives of the whole core through one history, then all of it held against one life that nothing happened to.</summary>
internal sealed class HistoryRun
{
    private readonly History _history;
    private readonly Mutant _mutant;
    private readonly Random _random;
    private readonly SimulatedDisk _disk;
    private readonly SimulatedSink _sink;
    private readonly SortedDictionary<long, byte[]> _entries = [];   // of the journal, as far as they were ever found on the disk
    private readonly List<string> _acknowledged = [];                // what must be in them
    private DateTimeOffset _now = SimulatedProgram.Start;
    private int _step;
    private int _pushed;
    private int _batches;       // acknowledged, of the source that can be asked again
    private int _lives;
    private int? _rot;          // which bit has turned when the power comes back
    private string? _violation;

    private HistoryRun(History history, Mutant mutant)
    {
        (_history, _mutant, _random) = (history, mutant, new Random(history.Seed));
        _disk = new SimulatedDisk
        {
            LosesSyncs = mutant == Mutant.R1AcknowledgesBeforeTheSync,
            LosesFolderSyncs = mutant == Mutant.R1ForgetsTheFilesName,
            LagsSyncsOf = path => mutant == Mutant.R3TellsBeforeTheSync && path.StartsWith(Journal.Folder, StringComparison.Ordinal),
            LosesSyncsOf = path => mutant == Mutant.R8NamesPartsBeforeTheirSync && path.StartsWith(Generations.Folder, StringComparison.Ordinal),
            Deleting = path =>
            {
                if (path.StartsWith(Journal.Folder, StringComparison.Ordinal))
                {
                    KeepEntries();
                }
            },
        };
        _sink = new SimulatedSink { LosesMarks = mutant == Mutant.R2ManifestBeforeTheSinksAreDurable };
    }

    private bool Learns => _history.Seed % 8 == 0;

    /// <summary>What was broken in a history; null for nothing.</summary>
    public static string? Violation(History history, Mutant mutant = Mutant.None)
    {
        var run = new HistoryRun(history, mutant);

        try
        {
            return run.Run();
        }
        catch (StorageException refused)
        {
            return $"life {run._lives}: {refused.Message}";
        }
        catch (TimeoutException stands)
        {
            return $"life {run._lives}: {stands.Message}";
        }
        catch (Exception misread) when (mutant == Mutant.R7TakesWhatDoesNotMatchItsChecksum && misread is not CrashException)
        {
            // Nothing that was damaged came this far with its checksum in force.
            return $"life {run._lives}: {misread.Message}";
        }
    }

    /// <summary>The number of lives and of things told, to see that histories are not empty.</summary>
    public static (int Lives, int Told, int Incidents) Measure(History history)
    {
        var run = new HistoryRun(history, Mutant.None);
        run.Run();
        return (run._lives, run._sink.Told.Count, run._sink.Incidents.Count);
    }

    private string? Run()
    {
        byte[][]? shards = null;
        string? books = null;

        while (shards is null)
        {
            BetweenLives();
            var life = new Life(this);

            try
            {
                life.Run();

                if (life.HasEndedInOrder && _step >= _history.Steps.Count)
                {
                    (shards, books) = (SimulatedProgram.ShardsOf(life.Pipeline!), SimulatedProgram.BooksOf(life.Pipeline!));
                }
            }
            catch (CrashException)
            {
                // The power went.
            }
            finally
            {
                life.Dispose();
            }

            if (!life.HasEndedInOrder)
            {
                _disk.Fault = null;
                _disk.Crash(_random);
                _sink.Crash(_random);
            }

            if ((_violation ?? _sink.ToldOtherwise) is { } violation)
            {
                return $"life {_lives}: {violation}";
            }

            if (++_lives > 200)
            {
                return "it never comes to an end";
            }
        }

        KeepEntries();

        if (_violation is not null)
        {
            return _violation;
        }

        string[] there = [.. _entries.Values.Select(Named)];

        foreach (string one in _acknowledged)
        {
            if (!there.Contains(one))
            {
                return $"{one} was acknowledged, and is lost";
            }
        }

        if (there.Where(one => one.StartsWith("batch", StringComparison.Ordinal)).GroupBy(one => one).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            return $"{twice.Key} was taken in twice";
        }

        (IReadOnlyList<(long, string)> told, byte[][] whole, string wholeBooks) = SimulatedProgram.Uninterrupted(_entries.Values, Learns);
        return !told.SequenceEqual(_sink.Told) ? $"not the same was told: {_sink.Told.Count} instead of {told.Count}, {_sink.Told.Zip(told).FirstOrDefault(pair => pair.First != pair.Second)}"
            : Enumerable.Range(0, whole.Length).FirstOrDefault(shard => !whole[shard].SequenceEqual(shards[shard]), -1) is >= 0 and int other ? $"shard {other} has other bits"
            : wholeBooks != books ? $"the books say {books}; an uninterrupted life says {wholeBooks}"
            : null;
    }

    /// <summary>What the disk holds when nobody writes to it.</summary>
    private void BetweenLives()
    {
        if (_rot is { } where)
        {
            Rot(where);
            _rot = null;
        }

        KeepEntries();
        _now += TimeSpan.FromSeconds(_random.Next(20));

        if (_mutant == Mutant.R9ReadsTheClockAgain)
        {
            DiskMutations.TellTicksAnew(_disk, _random);
        }
    }

    /// <summary>A bit turns in the newest snapshot, where there is an older one to go back to.</summary>
    private void Rot(int where)
    {
        string[] manifests = [.. _disk.Paths.Where(path => path.StartsWith("MANIFEST-", StringComparison.Ordinal))];

        if (manifests.Length >= 2)
        {
            long number = long.Parse(manifests[^1]["MANIFEST-".Length..], CultureInfo.InvariantCulture);
            DiskMutations.Rot(_disk, number, where, isHidden: _mutant == Mutant.R7TakesWhatDoesNotMatchItsChecksum);
        }
    }

    /// <summary>Entries that the disk holds: what was found there once is never another one again.</summary>
    private void KeepEntries()
    {
        foreach ((long sequence, byte[] entry) in DiskMutations.Entries(_disk))
        {
            if (_entries.TryGetValue(sequence, out byte[]? before) && !before.AsSpan().SequenceEqual(entry) && _mutant != Mutant.R9ReadsTheClockAgain)
            {
                _violation ??= $"entry {sequence} was {Named(before)}, and is {Named(entry)}";
            }

            _entries.TryAdd(sequence, entry);
        }
    }

    private static string Named(byte[] entry) => EntryCodec.Read(entry) switch
    {
        ObservationsEntry { Batch: { Source: "push" } batch } => $"push {batch.Observations.Span[0].Time:O}",
        ObservationsEntry { Batch: var batch } => $"batch {batch.Position?.At}",
        SwapEntry swap => $"swap {swap.Swap.Version}",
        LabelEntry label => $"label {label.Note}",
        AcceptEntry accept => $"accept {accept.Now:O}",
        MaintenanceEntry windows => $"maintenance {windows.Windows.Count}",
        var other => other.GetType().Name,
    };

    private sealed class CrashException : Exception;

    /// <summary>One life of the program: from what the disk holds to the next crash or stop.</summary>
    private sealed class Life(HistoryRun run) : IObservationSource, IDisposable
    {
        private readonly FakeTimeProvider _time = new(run._now);
        private readonly Ledger _ledger = new();
        private readonly CancellationTokenSource _ended = new();
        private DaemonMetrics? _metrics;
        private Journal? _journal;
        private LiveModel? _live;
        private Snapshots? _snapshots;
        private Generations? _generations;
        private Task _taking = Task.CompletedTask;
        private bool _isDead;
        private int _untilCrash = int.MaxValue;
        private int _fails;
        private string? _laggingBehind;   // R3 broken: acknowledged late enough to be true

        public DetectionPipeline? Pipeline { get; private set; }

        public bool HasEndedInOrder { get; private set; }

        public string Name => "simulated";

        public void Run()
        {
            var random = new Random(run._random.Next());
            new SeededContext(random).Run(() => RunAsync(random));
        }

        public void Dispose()
        {
            run._now = _time.GetUtcNow() > run._now ? _time.GetUtcNow() : run._now;
            _ended.Dispose();
            Pipeline?.Dispose();
            _journal?.Dispose();
            _metrics?.Dispose();
        }

        private async Task RunAsync(Random random)
        {
            run._disk.Fault = Fault;

            // A crash that is due falls into the start, now and then again and again.
            _untilCrash = random.Next(6) == 0 && run._lives < 100 ? random.Next(40) : int.MaxValue;
            _metrics = new DaemonMetrics(_ledger);
            _generations = new Generations(run._disk, NullLogger.Instance);
            Generation? generation = _generations.Newest();
            _journal = Journal.Open(run._disk, generation?.Manifest.ReplayAfter, SimulatedProgram.FirstSequence, segmentBytes: 600);
            RestoredState restored = generation is null ? RestoredState.Nothing(_journal.FirstSequence) : RestoredState.Of(generation);
            IJournalSink sink = run._sink.Open(restored.Sinks.GetValueOrDefault("simulated"), () => _isDead);
            Pipeline = SimulatedProgram.Compose(_journal, restored, [this], sink, _ledger, _metrics, _time, 1 + random.Next(2), run.Learns, out _live);
            _snapshots = new Snapshots(
                Pipeline, _journal, _generations, new StorageOptions(), _ledger, _metrics, () => { }, _time, NullLogger<Snapshots>.Instance);

            if (generation is null)
            {
                await FinalAsync(sink);
            }

            try
            {
                await Pipeline.RunAsync(CancellationToken.None);
            }
            finally
            {
                // Here and now: callbacks of an asynchronous cancellation run where no seed says when.
#pragma warning disable CA1849
                _ended.Cancel();
#pragma warning restore CA1849
                await _taking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }

            await FinalAsync(sink);

            if (!_ledger.Cut().Balances || _ledger.Cut().Queued != 0)
            {
                run._violation ??= "the books do not balance";
            }

            Revive();
            HasEndedInOrder = true;
        }

        private async Task FinalAsync(IJournalSink sink)
        {
            await _snapshots!.WriteFinalAsync([sink]);
            Revive();
        }

        /// <summary>Where code has caught the crash: it is one all the same.</summary>
        private void Revive()
        {
            if (_isDead)
            {
                throw new CrashException();
            }
        }

        private void Fault(string what)
        {
            if (_isDead || --_untilCrash < 0)
            {
                _isDead = true;
                throw new CrashException();
            }

            if (_fails > 0)
            {
                _fails--;
                throw new IOException("No space left on device");
            }
        }

        /// <summary>Goes through the history until something ends this life.</summary>
        async Task IObservationSource.RunAsync(ObservationIntake intake, CancellationToken stopping)
        {
            int begun = int.Parse(intake.PositionOf(Name) ?? "0", CultureInfo.InvariantCulture);

            if (begun < run._batches)
            {
                run._violation ??= $"it begins at batch {begun}, and {run._batches} were acknowledged";
            }

            run._batches = begun;

            while (run._step < run._history.Steps.Count)
            {
                if (_isDead)
                {
                    // A snapshot met the crash: whoever comes next meets it too, and no step is spent.
                    await await intake.AcceptAsync(new ObservationBatch(Name, ReadOnlyMemory<Observation>.Empty, _time.GetUtcNow()), stopping);
                }

                // Before it happens: one that ends this life is over.
                Step step = run._history.Steps[run._step++];

                try
                {
                    if (!await HappenAsync(step, intake, stopping))
                    {
                        return;
                    }
                }
                catch (NotTakenException)
                {
                    // Not acknowledged, and not tried again but by the source's next batch.
                }
            }
        }

        /// <returns>False where it ends this life.</returns>
        private async Task<bool> HappenAsync(Step step, ObservationIntake intake, CancellationToken stopping)
        {
            switch (step.What)
            {
                case Happening.Batch:
                    await AcknowledgedAsync(await intake.AcceptAsync(
                        new ObservationBatch(Name, Observations(run._batches, "a", "b", "c"), _time.GetUtcNow())
                        {
                            Position = new SourcePosition(Name, (run._batches + 1).ToString(CultureInfo.InvariantCulture)),
                        }, stopping), $"batch {run._batches + 1}");
                    run._batches++;
                    break;
                case Happening.Push:
                    Observation[] pushed = Observations(run._pushed, "p", "q");
                    await AcknowledgedAsync(await intake.AcceptAsync(new ObservationBatch("push", pushed, _time.GetUtcNow()), stopping), $"push {pushed[0].Time:O}");
                    run._pushed++;
                    break;
                case Happening.Tick:
                    for (int second = 0; second < step.Argument && !_isDead; second++)
                    {
                        _time.Advance(TimeSpan.FromSeconds(1));
                        await Task.Yield();
                    }

                    break;
                case Happening.Clock:
                    _time.AdjustTime(_time.GetUtcNow() + TimeSpan.FromMinutes(step.Argument));
                    break;
                case Happening.Snapshot when _taking.IsCompleted:
                    _taking = TakeAsync();

                    if (step.Argument == 1)
                    {
                        // Nothing comes until it is taken, or the power goes.
                        await Task.WhenAny(_taking, Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping));
                    }

                    break;
                case Happening.Swap:
                    await SwapAsync(stopping);
                    break;
                case Happening.Label when run._sink.Incidents is [.., var newest]:
                    string note = $"{run._step}.{run._lives}";
                    await Pipeline!.Decisions.LabelAsync(newest.Stream, newest.Id, step.Argument == 0 ? IncidentLabel.FalseAlarm : null, note, _time.GetUtcNow(), stopping);
                    run._acknowledged.Add($"label {note}");
                    break;
                case Happening.Accept:
                    DateTimeOffset now = _time.GetUtcNow();
                    await Pipeline!.Decisions.AcceptAsync("abc"[step.Argument].ToString(), stopping);
                    run._acknowledged.Add($"accept {now:O}");
                    break;
                case Happening.Maintain:
                    await Pipeline!.Decisions.MaintainAsync(SimulatedProgram.Windows(step.Argument), stopping);
                    break;
                case Happening.Ask:
                    await Pipeline!.Decisions.AskAsync(SimulatedProgram.Terms(step.Argument), stopping);
                    break;
                case Happening.Full:
                    _fails = step.Argument;
                    break;
                case Happening.SyncFails:
                    _fails = 1;
                    break;
                case Happening.Crash:
                    _untilCrash = step.Argument;
                    break;
                case Happening.Rot:
                    _untilCrash = 0;
                    run._rot = step.Argument;
                    break;
                case Happening.Stop:
                    return false;
            }

            return true;
        }

        private async Task AcknowledgedAsync(Task onDisk, string what)
        {
            await onDisk;

            if (run._mutant == Mutant.R3TellsBeforeTheSync)
            {
                // Such a program would sync late and acknowledge late: only what it tells is early.
                (what, _laggingBehind) = (_laggingBehind ?? "", what);
            }

            if (what.Length > 0)
            {
                run._acknowledged.Add(what);
            }
        }

        private async Task SwapAsync(CancellationToken stopping)
        {
            long version = _live!.Serving.Model.Version + 1;
            var swap = new ModelSwap(version, _time.GetUtcNow(), 2, 1, 100, $"{version}");

            if (run._mutant == Mutant.R4SwapsBeforeItIsWrittenDown)
            {
                _live.Swap(SimulatedProgram.ModelOf(swap), swap);
                return;
            }

            await Pipeline!.Decisions.SwapAsync(SimulatedProgram.ModelOf(swap), swap, stopping);
            run._acknowledged.Add($"swap {version}");
        }

        private async Task TakeAsync()
        {
            if (!await _snapshots!.TakeAsync(_ended.Token))
            {
                return;
            }

            IReadOnlyList<long> numbers = _generations!.Numbers();

            if (run._mutant == Mutant.R6KeepsTheJournalOfTheNewestOnly)
            {
                _journal!.Trim(_generations.Open(numbers[^1]).Manifest.ReplayAfter);
            }
            else if (run._mutant == Mutant.CarriesOverWhatChanged && numbers.Count > 1)
            {
                DiskMutations.CarryWhatChanged(run._disk, numbers[^1]);
            }
        }

        private static Observation[] Observations(int row, params string[] streams) =>
        [
            .. streams.Select((stream, i) => new Observation(
                stream, SimulatedProgram.Start.AddSeconds(row), row % 17 == 16 ? 500 : 10 + i + (row * (7 + i) % 5))),
        ];
    }
}
