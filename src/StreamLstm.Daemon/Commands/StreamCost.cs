using System.Diagnostics;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Daemon.Commands;

/// <summary>What a stream takes on this machine, measured by scoring synthetic ones on one thread.</summary>
/// <param name="Name">What kind of stream, and in which form.</param>
/// <param name="Form">How much it may remember.</param>
/// <param name="Bytes">Of memory, once it has had <see cref="GrownRows"/> observations.</param>
/// <param name="DiskBytes">Of a snapshot, then.</param>
/// <param name="YoungPerSecond">Observations scored a second and core, of a stream's first <see cref="YoungRows"/>: it learns most then.</param>
/// <param name="GrownPerSecond">The same of the last quarter of them.</param>
internal sealed record StreamCost(string Name, StreamForm Form, double Bytes, double DiskBytes, double YoungPerSecond, double GrownPerSecond)
{
    public const int GrownRows = 4_096;
    public const int YoungRows = 1_024;

    private const int FullStreams = 11;   // one of each kind of signal
    private const int LeanStreams = 33;
    private const int SharedStreams = 110;

    /// <summary>How much there is to do, in observations, for all of <see cref="Measure"/>.</summary>
    public static long Observations => Kinds.Sum(kind => (long)kind.Streams * GrownRows);

    private static IReadOnlyList<(string Name, StreamKind Kind, StreamForm Form, int Columns, int Streams)> Kinds { get; } =
    [
        ("values, full", StreamKind.Values, StreamForm.Full, 1, FullStreams),
        ("values, lean", StreamKind.Values, StreamForm.Lean, 1, LeanStreams),
        ("values, shared", StreamKind.Values, StreamForm.Shared, 1, SharedStreams),
        ("records of 4 columns", StreamKind.Records, StreamForm.Full, 4, FullStreams),
        ("log lines", StreamKind.Events, StreamForm.Full, 1, FullStreams),
    ];

    /// <summary>Measures each kind of stream, one after the other.</summary>
    /// <param name="options">How streams are learnt and judged.</param>
    /// <param name="model">The base weights that they start from.</param>
    /// <param name="progress">Told of observations that have been scored; null for nobody.</param>
    /// <param name="cancellation">Ends it.</param>
    public static IReadOnlyList<StreamCost> Measure(DetectionOptions options, BaseModel model, Action<long>? progress, CancellationToken cancellation) =>
        [.. Kinds.Select(kind => Measure(kind.Name, kind.Kind, kind.Columns, kind.Streams, options with { Form = kind.Form, TrainingWindowsMax = 1, Vectors = [new VectorOptions { Streams = "*" }] }, model, progress, cancellation))];

    private static StreamCost Measure(
        string name, StreamKind kind, int columns, int streams, DetectionOptions options, BaseModel model, Action<long>? progress, CancellationToken cancellation)
    {
        SyntheticSeries[] series = [.. Enumerable.Range(0, streams).Select(number => new SyntheticSeries(
            SyntheticFleet.Options(number % FullStreams, seed: number, faultsPerThousandRows: 0) with { Columns = columns }))];
        string[] columnNames = [.. Enumerable.Range(0, columns).Select(column => $"c{column}")];
        double[] values = new double[columns];
        var output = new ShardOutput();
        var scratch = new DetectionScratch();
        var batch = new Observation[streams];
        var young = new Stopwatch();
        var grown = new Stopwatch();

        // One before the others: what all share is no stream's, and what runs first is compiled.
        var first = new DetectionShard(options, new StreamQuota(1, 1), 0, 1, scratch);

        for (int row = 0; row < YoungRows; row++)
        {
            Next(row);
            first.Apply(batch.AsSpan(0, 1), batch[0].Time, model, output);
            output.Clear();
        }

        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(options, new StreamQuota(streams, options.Form == StreamForm.Full ? streams : 0), 0, 1, scratch);

        for (int row = 0; row < GrownRows; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            Next(row);
            Stopwatch? watch = row < YoungRows ? young : row >= GrownRows * 3 / 4 ? grown : null;
            watch?.Start();
            shard.Apply(batch, batch[0].Time, model, output);
            watch?.Stop();
            output.Clear();
            progress?.Invoke(streams);
        }

        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        using var disk = new CountingStream();
        using var writer = new BinaryWriter(disk);
        shard.Save(writer);
        writer.Flush();
        GC.KeepAlive(first);
        return new StreamCost(
            name, options.Form, (double)bytes / streams, (double)disk.Length / streams,
            (double)streams * YoungRows / young.Elapsed.TotalSeconds, (double)streams * GrownRows / 4 / grown.Elapsed.TotalSeconds);

        void Next(int row)
        {
            DateTimeOffset time = DateTimeOffset.UnixEpoch.AddSeconds(row * 10L);

            for (int stream = 0; stream < streams; stream++)
            {
                series[stream].Next(values);
                batch[stream] = kind switch
                {
                    StreamKind.Values => new Observation($"s{stream}", time, values[0]),
                    StreamKind.Records => Observation.Of($"s{stream}", time, new ObservedRecord(columnNames, [.. values])),
                    _ => Observation.Of($"s{stream}", time, new TextEvent($"INFO request {row} of part {values[0]:0} took {row % 17} ms", null, false)),
                };
            }
        }
    }

    /// <summary>Keeps nothing of what is written but how much it was.</summary>
    private sealed class CountingStream : Stream
    {
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _length += count;
    }
}
