using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Detection;

/// <summary>A made-up stream of a value a second, with a planted fault about every hour: whether the detector still finds what it must, and nothing else.</summary>
/// <remarks>
/// A detector that has gone silent looks like a world in which nothing is wrong. So a row as every stream has one judges a
/// season with noise, by a clock of its own: the same options and judge, weights in service and buffers, but no rule and no
/// maintenance of the user's, who may well want to hear nothing at night. The first fault comes soon after the
/// warm-up: a spike, which is found without a long past. What it says goes nowhere but into <see cref="Report"/>.
/// </remarks>
/// <param name="newRow">Makes its row.</param>
/// <param name="options">How streams are learnt and judged.</param>
/// <param name="seed">Of its noise.</param>
/// <param name="scratch">Buffers of the thread that owns the shard.</param>
internal sealed class Canary(Func<StreamRow> newRow, DetectionOptions options, ulong seed, DetectionScratch scratch)
{
    public const string Stream = "canary";

    /// <summary>The signal: a level, a season of a minute around it, and noise of one.</summary>
    private const double Level = 50;
    private const double Season = 10;
    private const int SeasonRows = 60;

    /// <summary>Seasons behind the warm-up after which so large a spike must be found.</summary>
    private const int KnownSeasons = 5;

    /// <summary>Rows between two faults, in minutes by turns, and what is added by chance.</summary>
    /// <remarks>
    /// With three kinds by turns one kind comes after 155, 205, 181, 215 minutes: no two spacings in a row are within the
    /// twentieth by which <see cref="Recurrence"/> takes what comes regularly for normal, nor is it the same time of the day.
    /// </remarks>
    private static readonly int[] _gapMinutes = [37, 71, 47, 97];
    private const int JitterMinutes = 2;

    /// <summary>Rows behind a fault within which it must have been told, and within which nothing is held against the detector.</summary>
    private const int DelayRows = 15;
    private const int AftermathRows = 300;

    /// <summary>Rows in which false alarms are counted, and the chance below which so many are more than were asked for.</summary>
    private const int CountedRows = 6 * 3600;
    private const double Chance = 1e-3;

    /// <summary>Of a tick that comes late so many rows are made up for.</summary>
    private const int RowsPerTickMax = 4;

    private static readonly DateTimeOffset _epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ShardOutput _output = new();
    private readonly Queue<long> _falseAlarms = new();   // rows
    private StreamRow _row = newRow();
    private SeededRandom _random = new(seed);
    private Fault _fault = Fault.None;   // the last one planted
    private long _nextFault = options.WarmUpRows + KnownSeasons * SeasonRows;
    private long _rows, _planted, _found;
    private double _owed, _last;
    private bool _isFound;
    private string? _failure;

    /// <summary>What it has to say.</summary>
    public CanaryReport Report { get; private set; } = new(CanaryState.Unknown, "no fault was planted yet", Planted: 0, Found: 0, FalseAlarms: 0);

    /// <summary>Time goes on.</summary>
    /// <param name="elapsed">Since the last time, without the time in which the machine stood still.</param>
    /// <param name="model">The base weights in service.</param>
    public void Advance(TimeSpan elapsed, BaseModel model)
    {
        for (_owed += Math.Min(elapsed.TotalSeconds, RowsPerTickMax); _owed >= 1; _owed--)
        {
            Observe(_rows++, model);
        }
    }

    private void Observe(long row, BaseModel model)
    {
        if (row == _nextFault)
        {
            Plant(row);
        }

        double clean = Level + Season * Math.Sin(2 * Math.PI * row / SeasonRows) + Draw.Normal(ref _random);
        DateTimeOffset time = _epoch.AddSeconds(row);
        _last = row >= _fault.First && row < _fault.End ? Faulty(clean) : clean;
        _output.Clear();

        try
        {
            _row.Take(new Observation(Stream, time, _last), time, row, model, scratch, _output);
        }
#pragma warning disable CA1031 // whatever the fault is, it is what the canary is there to tell
        catch (Exception fault)
#pragma warning restore CA1031
        {
            (_row, _failure, _isFound) = (newRow(), fault.Message, false);
            (_fault, _nextFault) = (Fault.None, row + options.WarmUpRows + KnownSeasons * SeasonRows);
            Say();
        }

        Listen(row);
    }

    private void Plant(long row)
    {
        FaultKind kind = _fault.Kind switch
        {
            FaultKind.Spike => FaultKind.Dropout,
            FaultKind.Dropout => FaultKind.Standstill,
            _ => FaultKind.Spike,
        };
        int rows = kind switch
        {
            FaultKind.Spike => 1,
            FaultKind.Dropout => 10,
            _ => 60,
        };
        _fault = new Fault(kind, row, row + rows);
        _isFound = false;
        _nextFault = row + 60 * (_gapMinutes[_planted % _gapMinutes.Length] - JitterMinutes) + _random.Next(120 * JitterMinutes);
    }

    private double Faulty(double clean) => _fault.Kind switch
    {
        FaultKind.Spike => clean + 4 * Season,
        FaultKind.Dropout => 0,
        _ => _last,
    };

    /// <summary>What was told of the row: that a fault was found, or that none was.</summary>
    private void Listen(long row)
    {
        bool isTold = _output.Incidents.Exists(told => told.State != IncidentState.Closed);
        bool isDue = row >= _fault.First && row < _fault.End + DelayRows;

        if (isTold && isDue && !_isFound)
        {
            Conclude(isFound: true);
        }
        else if (row == _fault.End + DelayRows && !_isFound)
        {
            Conclude(isFound: false);
        }

        bool isFalse = row >= _fault.End + AftermathRows && _output.Incidents.Exists(told => told.State == IncidentState.Opened);

        if (isFalse)
        {
            _falseAlarms.Enqueue(row);
            Say();
        }

        if (_falseAlarms.TryPeek(out long first) && first <= row - CountedRows)
        {
            _falseAlarms.Dequeue();
            Say();
        }
    }

    private void Conclude(bool isFound)
    {
        _isFound = isFound;
        _planted++;
        _found += isFound ? 1 : 0;
        _failure = isFound ? null : _failure;
        Say();
    }

    private void Say()
    {
        CanaryState state =
            _planted == 0 && _failure is null ? CanaryState.Unknown
            : !_isFound ? CanaryState.Blind
            : IsMoreThanAsked(_falseAlarms.Count) ? CanaryState.Crying
            : CanaryState.Alive;
        string reason = state switch
        {
            CanaryState.Unknown => "no fault was planted yet",
            CanaryState.Blind when _failure is not null => $"judging failed: {_failure}",
            CanaryState.Blind => $"the last planted fault, a {Word}, was not found",
            CanaryState.Crying => string.Create(CultureInfo.InvariantCulture, $"{_falseAlarms.Count} incidents in six hours where no fault was planted"),
            _ => $"the last planted fault, a {Word}, was found",
        };
        Report = new CanaryReport(state, reason, _planted, _found, _falseAlarms.Count);
    }

    /// <summary>Whether so many, two at least, hardly come by chance where no more come than are asked for (Poisson).</summary>
    private bool IsMoreThanAsked(int count)
    {
        double expected = (_row.Alerts.AskedPerDay ?? 0) * CountedRows / AlertRate.DaySeconds;
        double term = Math.Exp(-expected), fewer = 0;

        for (int i = 0; i < count; term *= expected / ++i)
        {
            fewer += term;
        }

        return count > 1 && 1 - fewer < Chance;
    }

    private string Word => _fault.Kind.ToString().ToLowerInvariant();

    private enum FaultKind
    {
        Spike,
        Dropout,
        Standstill,
    }

    /// <summary>A fault from one row up to another.</summary>
    private readonly record struct Fault(FaultKind Kind, long First, long End)
    {
        public static readonly Fault None = new(FaultKind.Standstill, long.MinValue / 2, long.MinValue / 2);
    }
}
