using System.Globalization;

namespace StreamLstm.Benchmarks.Events;

/// <summary>One line of a service's log.</summary>
/// <param name="Time">When it was written.</param>
/// <param name="Text">Without its time.</param>
/// <param name="Request">The request it belongs to; null for lines of the service itself.</param>
/// <param name="Fault">The fault it belongs to; null for ordinary lines.</param>
internal sealed record ServiceLogLine(DateTimeOffset Time, string Text, string? Request, ServiceFault? Fault)
{
    /// <summary>As it stands in a file.</summary>
    public string Written => string.Create(CultureInfo.InvariantCulture, $"{Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {Text}");
}

/// <summary>What can go wrong with the service.</summary>
internal enum ServiceFault
{
    /// <summary>For five seconds half of the requests meet an error that was never logged before.</summary>
    NewError,

    /// <summary>One order is shipped though its payment was never authorized.</summary>
    MissingStep,

    /// <summary>For ten seconds six times as many requests come, all of them ordinary.</summary>
    Burst,

    /// <summary>For half a minute nothing is logged at all.</summary>
    Stop,

    /// <summary>For half a minute the second step of each order comes before the first.</summary>
    Disorder,

    /// <summary>For five seconds half of the requests meet a warning that is rare otherwise, and known.</summary>
    KnownError,

    /// <summary>One line that was never logged before.</summary>
    OneLine,

    /// <summary>No fault: from here on a job of two lines runs every 150 seconds.</summary>
    RegularJob,

    /// <summary>No fault: from here on every request has a line more, as after a deployment.</summary>
    StaysOften,

    /// <summary>No fault: from here on one request in twelve has.</summary>
    StaysSeldom,
}

/// <summary>The log of a made-up shop, the same for the same seed: requests of five flows side by side, jobs, heartbeats, and warnings that are rare but ordinary.</summary>
/// <param name="seed">Of all chance.</param>
internal sealed class ServiceLog(int seed)
{
    private const double RequestsPerSecond = 4;

    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private readonly Random _random = new(seed);
    private readonly HashSet<ServiceFault> _stays = [];
    private readonly PriorityQueue<Action, (double Seconds, long Number)> _agenda = new();
    private readonly List<ServiceLogLine> _lines = [];
    private double _now;
    private long _number;
    private long _requests;
    private ServiceFault? _fault;
    private double _faultUntil;
    private bool _stepIsDue;

    /// <summary>How many times as slow as written here all is.</summary>
    public double Slowness { get; init; } = 1;

    /// <summary>How many times as long what goes wrong lasts.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>Lines in their order.</summary>
    /// <param name="count">How many.</param>
    /// <param name="faults">What goes wrong once so many lines have been written.</param>
    public IReadOnlyList<ServiceLogLine> Lines(int count, params (int Line, ServiceFault Fault)[] faults)
    {
        var waiting = new Queue<(int Line, ServiceFault Fault)>(faults.OrderBy(one => one.Line));
        Line("INFO  main Service started, version 4.2.17, pid 3120");
        After(0, Arrive);
        Every(5, () => Line($"DEBUG health probe ok in {_random.Next(1, 4)} ms, heap {_random.Next(210, 480)} MB"));
        Every(30, () => Line($"INFO  metrics flushed {_random.Next(800, 1200)} series to 10.0.3.{_random.Next(2, 6)}:8086"));
        Every(60, Job);

        while (_lines.Count < count)
        {
            if (waiting.TryPeek(out (int Line, ServiceFault Fault) next) && _lines.Count >= next.Line)
            {
                waiting.Dequeue();
                Begin(next.Fault);
            }

            _agenda.TryDequeue(out Action? happens, out (double Seconds, long) at);
            _now = Math.Max(_now, at.Seconds);
            happens!();
        }

        return _lines.GetRange(0, count);
    }

    private bool Is(ServiceFault fault) => _fault == fault && _now < _faultUntil;

    private void Begin(ServiceFault fault)
    {
        if (fault == ServiceFault.OneLine)
        {
            Line($"FATAL main worker {_random.Next(1, 9)} left its loop without a reason", fault: fault);
            return;
        }

        if (fault is ServiceFault.RegularJob or ServiceFault.StaysOften or ServiceFault.StaysSeldom)
        {
            _stays.Add(fault);

            if (fault == ServiceFault.RegularJob)
            {
                RunJob();
                Every(150, RunJob);
            }

            return;
        }

        _fault = fault;
        _faultUntil = _now + Strength * fault switch { ServiceFault.NewError or ServiceFault.KnownError => 5, ServiceFault.Burst => 10, _ => 30 };
        _stepIsDue = fault == ServiceFault.MissingStep;

        if (fault == ServiceFault.Stop)
        {
            // Nothing of it is caught up later: the process was suspended.
            _now = _faultUntil;
            var shifted = new List<(Action, (double, long))>();

            while (_agenda.TryDequeue(out Action? happens, out (double Seconds, long Number) at))
            {
                shifted.Add((happens, (at.Seconds + 30 * Strength, at.Number)));
            }

            _agenda.EnqueueRange(shifted);
        }
    }

    private void RunJob()
    {
        Line($"INFO  archive run {_random.Next(1000)} begins");
        After(2, () => Line($"INFO  archive wrote {_random.Next(100, 900)} files in {_random.Next(1000, 1900)} ms"));
    }

    private void After(double seconds, Action happens) => _agenda.Enqueue(happens, (_now + seconds, _number++));

    private void Every(double seconds, Action happens) => After(seconds, () =>
    {
        happens();
        Every(seconds, happens);
    });

    private void Line(string text, string? request = null, ServiceFault? fault = null) =>
        _lines.Add(new ServiceLogLine(
            Start.AddMilliseconds(Math.Floor(1000 * Slowness * _now)), text, request, fault ?? (_now < _faultUntil && _fault is ServiceFault.Burst or ServiceFault.Stop ? _fault : null)));

    private void Arrive()
    {
        // A day's slow swing, and more than chance: users come in waves.
        double rate = RequestsPerSecond * (1 + 0.3 * Math.Sin(2 * Math.PI * _now / 14_400)) * (Is(ServiceFault.Burst) ? 6 : 1);
        After(-Math.Log(1 - _random.NextDouble()) / rate, Arrive);
        string request = string.Create(CultureInfo.InvariantCulture, $"req-{_random.Next(0x1000000):x6}{_requests++ % 4096:x3}");
        int flow = _random.Next(100);
        Run(request, flow < 40 ? Search() : flow < 65 ? Basket() : flow < 80 ? Order() : flow < 92 ? Login() : Report());
    }

    private void Run(string request, IEnumerable<(double After, string Text, ServiceFault? Fault)> steps)
    {
        double at = 0;

        if (Is(ServiceFault.NewError) && _random.Next(2) == 0)
        {
            After(0.02, () => Line($"ERROR pool [{request}] exhausted: no connection to 10.0.1.9:5432 within {_random.Next(3000, 3100)} ms, 64 waiting", request, ServiceFault.NewError));
        }

        if (Is(ServiceFault.KnownError) && _random.Next(2) == 0)
        {
            After(0.02, () => Line($"WARN  payment [{request}] gateway did not answer within {_random.Next(900, 1100)} ms, trying again", request, ServiceFault.KnownError));
        }

        if (_stays.Contains(ServiceFault.StaysOften) || (_stays.Contains(ServiceFault.StaysSeldom) && _random.Next(12) == 0))
        {
            After(0.005, () => Line($"INFO  limiter [{request}] admitted, {_random.Next(1, 90)} of {_random.Next(90, 99)} left", request));
        }

        foreach ((double after, string text, ServiceFault? fault) in steps)
        {
            at += after * (0.5 + _random.NextDouble());
            After(at, () => Line(text.Replace("@", $"[{request}]", StringComparison.Ordinal), request, fault));
        }
    }

    private IEnumerable<(double, string, ServiceFault?)> Begun(string path)
    {
        yield return (0, $"INFO  http @ {path} from 192.168.{_random.Next(4)}.{_random.Next(1, 255)}", null);

        if (_random.Next(400) == 0)
        {
            yield return (0.01, $"WARN  http @ client sent no agent header, address 203.0.113.{_random.Next(255)}", null);
        }
    }

    private (double, string, ServiceFault?) Done(int status) =>
        (0.03, $"INFO  http @ answered {status} in {_random.Next(8, 260)} ms, {_random.Next(300, 9000)} bytes", null);

    private IEnumerable<(double, string, ServiceFault?)> Search()
    {
        foreach ((double, string, ServiceFault?) line in Begun("GET /shop/search"))
        {
            yield return line;
        }

        if (_random.Next(3) > 0)
        {
            yield return (0.01, $"DEBUG cache @ hit for key {_random.Next(0x7fffffff):x8}, age {_random.Next(300)} s", null);
        }
        else
        {
            yield return (0.01, $"DEBUG cache @ miss for key {_random.Next(0x7fffffff):x8}", null);
            yield return (0.05, $"DEBUG sql @ SELECT on products took {_random.Next(2, 40)} ms, {_random.Next(120)} rows", null);

            if (_random.Next(150) == 0)
            {
                yield return (0.05, $"WARN  sql @ slow statement: {_random.Next(500, 2000)} ms on products, plan {_random.Next(0x7fffffff):x8}", null);
            }
        }

        yield return Done(200);
    }

    private IEnumerable<(double, string, ServiceFault?)> Basket()
    {
        foreach ((double, string, ServiceFault?) line in Begun("POST /shop/basket"))
        {
            yield return line;
        }

        yield return (0.01, $"DEBUG session @ loaded for user {_random.Next(90_000)}", null);

        for (int items = _random.Next(1, 4); items > 0; items--)
        {
            yield return (0.02, $"DEBUG stock @ reserved {_random.Next(1, 5)} of item {_random.Next(5_000)}", null);
        }

        if (_random.Next(60) == 0)
        {
            yield return (0.02, $"INFO  stock @ item {_random.Next(5_000)} sold out, offered {_random.Next(5_000)} instead", null);
        }

        yield return Done(201);
    }

    private IEnumerable<(double, string, ServiceFault?)> Order()
    {
        bool forgets = Is(ServiceFault.MissingStep) && _stepIsDue;
        _stepIsDue &= !forgets;

        foreach ((double, string, ServiceFault?) line in Begun("POST /shop/order"))
        {
            yield return line;
        }

        int order = _random.Next(1_000_000);
        (double, string, ServiceFault?) received = (0.02, $"INFO  order @ {order} received, {_random.Next(1, 9)} items, total {_random.Next(5, 900)}.{_random.Next(100):00} EUR", null);
        (double, string, ServiceFault?) checkedStock = (0.03, $"DEBUG stock @ checked {_random.Next(1, 9)} items for order {order}", null);

        if (Is(ServiceFault.Disorder))
        {
            yield return checkedStock with { Item3 = ServiceFault.Disorder };
            yield return received with { Item3 = ServiceFault.Disorder };
        }
        else
        {
            yield return received;
            yield return checkedStock;
        }

        yield return (0.05, $"INFO  payment @ requested for order {order} at gateway {_random.Next(1, 4)}", null);

        while (_random.Next(40) == 0)
        {
            yield return (0.3, $"WARN  payment @ gateway did not answer within {_random.Next(900, 1100)} ms, trying again", null);
        }

        if (!forgets)
        {
            yield return (0.2, $"INFO  payment @ authorized for order {order}, reference {_random.Next(0x7fffffff):x8}", null);
        }

        yield return (0.05, $"INFO  shipping @ label printed for order {order}, carrier {_random.Next(1, 4)}", forgets ? ServiceFault.MissingStep : null);
        yield return (0.02, $"DEBUG mail @ confirmation queued for user {_random.Next(90_000)}", null);
        yield return Done(201);
    }

    private IEnumerable<(double, string, ServiceFault?)> Login()
    {
        foreach ((double, string, ServiceFault?) line in Begun("POST /account/login"))
        {
            yield return line;
        }

        if (_random.Next(15) == 0)
        {
            yield return (0.05, $"WARN  auth @ wrong password for user {_random.Next(90_000)}, attempt {_random.Next(1, 4)}", null);
            yield return Done(401);
            yield break;
        }

        yield return (0.05, $"INFO  auth @ user {_random.Next(90_000)} signed in, token {_random.Next(0x7fffffff):x8}", null);
        yield return (0.01, $"DEBUG session @ created, expires in {_random.Next(1000, 3600)} s", null);
        yield return Done(200);
    }

    private IEnumerable<(double, string, ServiceFault?)> Report()
    {
        foreach ((double, string, ServiceFault?) line in Begun("GET /admin/report"))
        {
            yield return line;
        }

        for (int pages = _random.Next(1, 5); pages > 0; pages--)
        {
            yield return (0.1, $"DEBUG report @ page {pages} rendered in {_random.Next(5, 90)} ms", null);
        }

        yield return Done(200);
    }

    private void Job()
    {
        Line($"INFO  job cleanup started, {_random.Next(20, 400)} sessions to look at");

        if (_random.Next(4) == 0)
        {
            After(0.5, () => Line($"INFO  gc compacted heap from {_random.Next(400, 600)} to {_random.Next(180, 260)} MB in {_random.Next(20, 90)} ms"));
        }

        if (_random.Next(50) == 0)
        {
            After(0.7, () => Line($"WARN  disk volume data is {_random.Next(80, 90)} % full"));
        }

        if (_random.Next(200) == 0)
        {
            After(0.8, () => Line($"WARN  tls certificate of gateway {_random.Next(1, 4)} expires in {_random.Next(5, 30)} days"));
        }

        After(1 + _random.NextDouble(), () => Line($"INFO  job cleanup removed {_random.Next(0, 200)} sessions in {_random.Next(200, 1900)} ms"));
    }
}
