using System.IO.Enumeration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>Tells somebody of incidents, at least once each: one message for what began together, when it opens, becomes more severe, and ends.</summary>
/// <remarks>
/// Where it stands in the journal, what it has told that goes on, what waits for others of its cause and what quiet hours have kept back are in a file of its own,
/// replaced behind each answer: what was answered and not yet written down when the program was killed is sent again, under the same key. When quiet hours end one
/// message says what they kept back; where it becomes severe enough before, it is told then. The end is told of what was told.
/// </remarks>
internal sealed class NotifySink : IJournalSink, IConnectedSink
{
    private const int ToldMax = 10_000;
    private const int KeptBackMax = 1_000;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReminderInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly NotifyOptions _options;
    private readonly IDelivery _delivery;
    private readonly QuietHours? _quiet;
    private readonly string _cursor;
    private readonly DaemonMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Task _looking;
    private NotifyState _state;

    /// <param name="options">Whom, and how.</param>
    /// <param name="index">Its place in the list.</param>
    /// <param name="cursor">The file that says how far it has got.</param>
    /// <param name="metrics">Counts what is refused.</param>
    /// <param name="time">For reminders, what waits, and quiet hours.</param>
    /// <param name="logger">For what is refused.</param>
    public NotifySink(NotifyOptions options, int index, string cursor, DaemonMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_options, _cursor, _metrics, _time, _logger) = (options, cursor, metrics, time, logger);
        Name = NotifyOptions.NameOf(options, index);
        _quiet = QuietHours.Of(options.Quiet, out _);
        _delivery = Delivery(options, time);
        _state = NotifyState.Read(cursor);
        _looking = LookAsync();
    }

    public string Name { get; }

    public long Told => _state.Sequence;

    /// <summary>Why what waited for its time does not get through; null where it does.</summary>
    public string? Trouble { get; private set; }

    public bool DropsWhenFull => _options.WhenFull == WhenFull.Drop;

    public static IDelivery Delivery(NotifyOptions options, TimeProvider time) => options.By switch
    {
        NotifyBy.Alertmanager => new AlertmanagerDelivery(options, time),
        NotifyBy.Email => new EmailDelivery(options),
        _ => new HttpDelivery(options, time),
    };

    public bool Takes(ScoredBatch batch) => batch.Groups.Count > 0;

    public int Wanted(ScoredBatch batch) => batch.Groups.Count;

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Sequence < _state.Sequence)
        {
            return;
        }

        for (int i = batch.Sequence == _state.Sequence ? _state.Groups : 0; i < batch.Groups.Count; i++)
        {
            await _turn.WaitAsync(cancellationToken);

            try
            {
                await TellAsync(batch.Groups[i], batch.Sequence, cancellationToken);
                _state = _state with { Sequence = batch.Sequence, Groups = i + 1 };
                _state.Write(_cursor, isDurable: false);
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    /// <summary>What waits and what was kept back is told by nothing but this file, once the journal is gone on from here.</summary>
    public async ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);

        try
        {
            if (_state.Waiting.Count + _state.KeptBack.Count > 0)
            {
                _state.Write(_cursor, isDurable: true);
            }

            return _state.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends one that says that it is a test.</summary>
    /// <exception cref="IOException">It was not taken.</exception>
    /// <exception cref="RefusedException">It was refused.</exception>
    public static async Task TestAsync(NotifyOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using IDelivery delivery = Delivery(options, time);
        await delivery.SendAsync(Notification.Test(time.GetUtcNow(), options.Page), told: null, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _looking;
        _delivery.Dispose();
        _stopping.Dispose();
        _turn.Dispose();
    }

    private async Task TellAsync(GroupEvent group, long sequence, CancellationToken cancellationToken)
    {
        Notification? told = _state.Told.GetValueOrDefault(group.Id);
        Notification notification = Notification.Of(group, sequence, _options.Page);
        bool isOver = group.State == GroupState.Closed;

        if (_state.Waiting.TryGetValue(group.Id, out WaitingNotification? waiting))
        {
            if (!isOver)
            {
                _state.Waiting[group.Id] = waiting with { Notification = notification with { State = "opened", Key = waiting.Notification.Key } };
                return;
            }

            // It is over before the others were waited for long enough: it is told of, and then that it is over.
            told = waiting.Notification;
            await SendAsync(told, told: null, cancellationToken);
            _state.Waiting.Remove(group.Id);
            _state.Told[group.Id] = told;
        }

        if (isOver)
        {
            await EndAsync(notification, told, cancellationToken);
            return;
        }

        if ((told is not null && Rank(told.Severity) >= group.Severity) || !IsWanted(group))
        {
            return;
        }

        if (_quiet?.Holds(_time.GetUtcNow(), group.Severity) == true)
        {
            KeepBack(notification);
            return;
        }

        _state.KeptBack.Remove(group.Id);

        if (told is null)
        {
            // Of what was kept back before it is the first that is heard.
            notification = notification with { State = "opened" };

            if (_options.GroupWait > TimeSpan.Zero && _state.Waiting.Count < ToldMax)
            {
                _state.Waiting[group.Id] = new WaitingNotification(notification, _time.GetUtcNow() + _options.GroupWait);
                return;
            }
        }

        await SendAsync(notification, told?.Severity, cancellationToken);
        Remember(notification);
    }

    private async Task EndAsync(Notification notification, Notification? told, CancellationToken cancellationToken)
    {
        if (told is not null && _options.Resolved)
        {
            await SendAsync(notification, told.Severity, cancellationToken);
        }

        _state.Told.Remove(notification.Id);

        if (_state.KeptBack.ContainsKey(notification.Id))
        {
            _state.KeptBack[notification.Id] = notification;
        }
    }

    private void Remember(Notification notification)
    {
        if (_state.Told.Count < ToldMax || _state.Told.ContainsKey(notification.Id))
        {
            _state.Told[notification.Id] = notification;
        }
    }

    private void KeepBack(Notification notification)
    {
        if (_state.KeptBack.Count < KeptBackMax || _state.KeptBack.ContainsKey(notification.Id))
        {
            _state.KeptBack[notification.Id] = notification;
        }
        else
        {
            _state.KeptBackMore++;
        }
    }

    private async Task SendAsync(Notification notification, string? told, CancellationToken cancellationToken)
    {
        try
        {
            await _delivery.SendAsync(notification, told, cancellationToken);
        }
        catch (RefusedException refused)
        {
            _metrics.Refused(Name);
            LogMessages.NotificationRefused(_logger, Name, notification.Key, refused.Message);
        }
    }

    private bool IsWanted(GroupEvent group) =>
        group.Severity >= _options.SeverityMin
        && group.Members.Any(member => FileSystemName.MatchesSimpleExpression(_options.Streams, member.Stream, ignoreCase: false));

    private static IncidentSeverity Rank(string severity) => Enum.Parse<IncidentSeverity>(severity, ignoreCase: true);

    /// <summary>Sends what has waited long enough and what quiet hours kept back until they ended, and reminds of what goes on.</summary>
    private async Task LookAsync()
    {
        using var timer = new PeriodicTimer(LookInterval, _time);
        TimeSpan wait = LookInterval;
        DateTimeOffset tryAt = default, remindAt = _time.GetUtcNow() + ReminderInterval;

        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                DateTimeOffset now = _time.GetUtcNow();

                if (now < tryAt)
                {
                    continue;
                }

                await _turn.WaitAsync(_stopping.Token);

                try
                {
                    await SendDueAsync(now);

                    if (now >= remindAt)
                    {
                        remindAt = now + ReminderInterval;
                        await _delivery.RemindAsync(_state.Told.Values, _stopping.Token);
                    }

                    (Trouble, wait) = (null, LookInterval);
                }
                catch (Exception missed) when (missed is IOException or RefusedException or UnauthorizedAccessException)
                {
                    // What is told waits for its own; the rest is tried again.
                    if (Trouble is null)
                    {
                        LogMessages.SinkWaits(_logger, Name, missed.Message);
                    }

                    Trouble = missed.Message;
                    wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
                    tryAt = now + wait;
                }
                finally
                {
                    _turn.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private async Task SendDueAsync(DateTimeOffset now)
    {
        foreach ((string id, WaitingNotification waiting) in _state.Waiting.Where(one => one.Value.Until <= now).OrderBy(one => one.Value.Until).ToArray())
        {
            await SendAsync(waiting.Notification, told: null, _stopping.Token);
            _state.Waiting.Remove(id);
            Remember(waiting.Notification);
            _state.Write(_cursor, isDurable: false);
        }

        if (_state.KeptBack.Count == 0 || _quiet?.IsAt(now) == true)
        {
            return;
        }

        await SendAsync(Notification.Summary(_state.KeptBack.Values, _state.KeptBackMore, _options.Page), told: null, _stopping.Token);

        foreach (Notification open in _state.KeptBack.Values.Where(one => one.ResolvedAt is null))
        {
            Remember(open);
        }

        _state.KeptBack.Clear();
        _state.KeptBackMore = 0;
        _state.Write(_cursor, isDurable: false);
    }
}
