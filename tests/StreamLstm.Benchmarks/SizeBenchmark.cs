using System.Globalization;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Benchmarks;

/// <summary>Bytes of a stream as it grows, measured and as <see cref="StreamSize"/> counts them for the limit on memory.</summary>
internal static class SizeBenchmark
{
    private const int Streams = 44;
    private const int TextStreams = 8;
    private const int TextRowsMax = 1_024;

    private static readonly int[] Rows = [1, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];

    public static void Run(BenchmarkRun run)
    {
        foreach (StreamForm form in Enum.GetValues<StreamForm>())
        {
            foreach (bool ownWeights in (bool[])[false, true])
            {
                Values(run, form, ownWeights);
            }
        }

        Measure(run, "records of 4", StreamKind.Records, StreamForm.Full, ownWeights: false, 4);
        Measure(run, "records of 16", StreamKind.Records, StreamForm.Full, ownWeights: false, 16);
        Measure(run, "events", StreamKind.Events, StreamForm.Full, ownWeights: false, 1);
        Measure(run, "events, own weights", StreamKind.Events, StreamForm.Full, ownWeights: true, 1);

        foreach (StreamForm form in Enum.GetValues<StreamForm>())
        {
            string name = form.ToString().ToLowerInvariant();
            Measure(run, $"lines by characters, {name}", StreamKind.Texts, form, ownWeights: false, 1, TextStreams, TextRowsMax);
            Measure(run, $"lines by words, {name}", StreamKind.Words, form, ownWeights: false, 1, TextStreams, TextRowsMax);
        }
    }

    private static void Values(BenchmarkRun run, StreamForm form, bool ownWeights) =>
        Measure(run, $"values, {form.ToString().ToLowerInvariant()}{(ownWeights ? ", own weights" : "")}", StreamKind.Values, form, ownWeights, 1);

    private static void Measure(BenchmarkRun run, string what, StreamKind kind, StreamForm form, bool ownWeights, int columns, int most = Streams, int rowsMax = int.MaxValue)
    {
        int streams = run.Small ? Math.Min(11, most) : most;
        BaseModel model = BaseModel.Pretrained;
        var options = new DetectionOptions { Form = form, TrainingWindowsMax = 1, Vectors = [new VectorOptions { Streams = "*" }] };
        SyntheticSeries[] series = [.. Enumerable.Range(0, streams).Select(number => new SyntheticSeries(
            SyntheticFleet.Options(number % 11, seed: number, faultsPerThousandRows: 0) with { Columns = columns }))];
        string[] names = [.. Enumerable.Range(0, columns).Select(column => $"c{column}")];
        var values = new double[Math.Max(columns, 1)];
        var output = new ShardOutput();
        var batch = new Observation[streams];
        var scratch = new DetectionScratch();

        // One stream before the others: buffers that all share are no stream's.
        var first = new DetectionShard(options, new StreamQuota(1, 1), 0, 1, scratch);
        first.Apply([Of("first", 0, DateTimeOffset.UnixEpoch)], DateTimeOffset.UnixEpoch, model, output);
        output.Clear();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(options, new StreamQuota(streams, ownWeights ? streams : 0), 0, 1, scratch);
        int row = 0;

        foreach (int rows in Rows.TakeWhile(rows => rows <= (run.Small ? 256 : rowsMax)))
        {
            for (; row < rows; row++)
            {
                DateTimeOffset time = DateTimeOffset.UnixEpoch.AddSeconds(row * 10);

                for (int stream = 0; stream < streams; stream++)
                {
                    series[stream].Next(values);
                    batch[stream] = Of($"s{stream}", row, time);
                }

                output.Clear();
                shard.Apply(batch, time, model, output);
            }

            output.Clear();
            double measured = Math.Max(0, GC.GetTotalMemory(forceFullCollection: true) - before) / (double)streams / 1024;
            double counted = StreamSize.Of(kind, form, ownWeights, columns, row) / 1024.0;
            run.Print(string.Create(CultureInfo.InvariantCulture, $"size, {what}, {rows,6} rows: {measured,7:0.0} KiB measured, {counted,7:0.0} KiB counted"));
        }

        GC.KeepAlive(shard);
        GC.KeepAlive(first);

        Observation Of(string stream, int at, DateTimeOffset time) => kind switch
        {
            StreamKind.Values => new Observation(stream, time, values[0]),
            StreamKind.Records => Observation.Of(stream, time, new ObservedRecord(names, [.. values])),
            _ => Observation.Of(stream, time, new TextEvent($"INFO request {at} of part {values[0]:0} took {at % 17} ms")
            {
                IsCharacters = kind == StreamKind.Texts,
                IsWords = kind == StreamKind.Words,
            }),
        };
    }
}
