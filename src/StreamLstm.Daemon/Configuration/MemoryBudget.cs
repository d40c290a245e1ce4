using System.Globalization;
using StreamLstm.Daemon.Pipeline;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What of the memory that the process may use is for what.</summary>
/// <remarks><code>
///   beside the heap     104 MiB     of a control group: compiled code, libraries, threads, SQLite (a quarter, where that is more)
///   the program itself   48 MiB     of the heap: what it holds without streams, and what the collector has not collected
///   of the rest          65 %       streams                          (limits.memory_mib says otherwise)
///   of all               10 %       observations between two stages, at most channel_capacity batches each
///                         5 %       points that the page draws, at most of 12,000 streams
///                         4 %       values on their way into the history, twice, at most 20 MB each
/// </code>
/// Where there are gigabytes only the streams' part depends on it: the others have what they ask for.
/// </remarks>
/// <param name="Available">Bytes that the process may use: of a control group, what .NET keeps to within it.</param>
internal readonly record struct MemoryBudget(long Available)
{
    private const long ProgramBytes = 48L * 1024 * 1024;
    private const double StreamShare = 0.65;
    private const double QueueShare = 0.10;
    private const double PointShare = 0.05;
    private const double HistoryShare = 0.04;

    private const int ChannelsOnTheWay = 6;
    private const int ObservationBytes = 400;
    private const int CapacityMin = 4;
    private const double AllPointBytes = 65e6;
    private const int StretchBytes = 80;

    /// <summary>Of a control group .NET gives the heap three quarters, however little it is: of 256 MiB the rest is too small for what is beside it.</summary>
    private const double HeapShare = 0.75;
    private const long BesideHeapBytes = 104L * 1024 * 1024;
    private const string HeapLimitName = "GCHeapHardLimit";

    private static readonly Lazy<MemoryBudget> Found = new(() => new MemoryBudget(AvailableNow()));

    /// <summary>That of this process. Where it lives in a small control group its heap is limited to what leaves room for the rest, the first time this is asked.</summary>
    public static MemoryBudget OfProcess => Found.Value;

    /// <summary>What streams may be counted for where nothing is said, in bytes.</summary>
    public long StreamBytes => (long)(StreamShare * Math.Max(Available / 4, Available - ProgramBytes));

    /// <summary>Of the points that the page could draw, so many are kept: 0 to 1.</summary>
    public double PointsKept => Math.Min(1, PointShare * Available / AllPointBytes);

    /// <summary>Stretches of values that may wait for the history's file.</summary>
    public int StretchesMax => (int)Math.Min(int.MaxValue, HistoryShare * Available / StretchBytes);

    /// <summary>Bytes for the heap of a control group.</summary>
    /// <param name="group">What the group may use, in bytes.</param>
    public static long HeapWithin(long group) => Math.Max(group / 4, Math.Min((long)(HeapShare * group), group - BesideHeapBytes));

    /// <summary>What the process may use; of a small control group less than .NET would, to which its heap is limited here.</summary>
    private static long AvailableNow()
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

        // Whoever sets the limit knows better.
        if (!GC.GetConfigurationVariables().TryGetValue(HeapLimitName, out object? limit)
            || Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(name => name.Contains(HeapLimitName, StringComparison.OrdinalIgnoreCase)))
        {
            return available;
        }

        long given = Convert.ToInt64(limit, CultureInfo.InvariantCulture), wanted = HeapWithin((long)(given / HeapShare));

        if (given <= 0 || wanted >= given)
        {
            return available;
        }

        try
        {
            AppContext.SetData(HeapLimitName, (ulong)wanted);
            GC.RefreshMemoryLimit();
        }
        catch (InvalidOperationException)
        {
            // It holds more than that already, as where memory was measured first: what is planned with stays the same.
        }

        return wanted;
    }

    /// <summary>The same threads, with channels that hold fewer batches where full ones would not fit: sources wait earlier then.</summary>
    public PipelineOptions Of(PipelineOptions asked) => new()
    {
        Workers = asked.Workers,
        BatchMax = asked.BatchMax,
        ChannelCapacity = (int)Math.Min(asked.ChannelCapacity, Math.Max(CapacityMin, QueueShare * Available / ((long)ChannelsOnTheWay * asked.BatchMax * ObservationBytes))),
    };
}
