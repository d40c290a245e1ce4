using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

/// <summary>An observation takes no memory from the heap: what a stream knows is made when it is earned, and nothing beside.</summary>
public sealed class AllocationTests
{
    private const int GrownRows = 4_000;
    private const int Rows = 4_000;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(StreamForm.Lean, 0)]
    [InlineData(StreamForm.Lean, 1)]
    [InlineData(StreamForm.Shared, 0)]
    public void A_grown_stream_allocates_for_training_windows_and_for_what_happens_to_it_alone(StreamForm form, int ownWeights)
    {
        var shard = new DetectionShard(
            new DetectionOptions { Form = form }, new StreamQuota(1, ownWeights), 0, 1, new DetectionScratch());
        var output = new ShardOutput();
        var batch = new Observation[1];
        double[] values = DailySeries.Clean(1, GrownRows + Rows);
        int rowsThatAllocate = 0;
        long bytes = 0;

        for (int row = 0; row < values.Length; row++)
        {
            DateTimeOffset time = Start.AddMinutes(row);
            batch[0] = new Observation("boiler", time, values[row]);
            output.Clear();
            long before = GC.GetAllocatedBytesForCurrentThread();
            shard.Apply(batch, time, BaseModel.Pretrained, output);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            // Every so many clean rows are cut out for the retrainer.
            if (row >= GrownRows && allocated > 0 && (row + 1) % TrainingWindow.Rows != 0)
            {
                rowsThatAllocate++;
                bytes += allocated;
            }
        }

        // A sample that grows to its bound, an alert written down: of four thousand rows the odd one.
        Assert.InRange(rowsThatAllocate, 0, Rows / 50);
        Assert.InRange(bytes, 0, 8L * Rows);
    }
}
