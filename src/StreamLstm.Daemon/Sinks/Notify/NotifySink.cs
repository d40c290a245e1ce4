using System.IO.Enumeration;
using System.Text.Json;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>Tells somebody of incidents, at least once each: one message for what began together, when it opens, becomes more severe, and ends.</summary>
/// <remarks>
/// Where it stands in the journal and what it has told that goes on are in a file of its own, replaced behind each answer: what was
/// answered and not yet written down when the program was killed is sent again, under the same key. What quiet hours keep back is not
/// told later: the page has it, and where it becomes more severe it is told then. The end is told of what was told.
/// </remarks>
internal sealed class NotifySink : IJournalSink
{
    private const int ToldMax = 10_000;

    private static readonly TimeSpan ReminderInterval = TimeSpan.FromMinutes(1);

    private readonly NotifyOptions _options;
    private readonly IDelivery _delivery;
    private readonly QuietHours? _quiet;
    private readonly string _cursor;
    private readonly DaemonMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Task _reminding;
    private State _state;

    /// <param name="options">Whom, and how.</param>
    /// <param name="index">Its place in the list.</param>
    /// <param name="cursor">The file that says how far it has got.</param>
    /// <param name="metrics">Counts what is refused.</param>
    /// <param name="time">For reminders.</param>
    /// <param name="logger">For what is refused.</param>
    public NotifySink(NotifyOptions options, int index, string cursor, DaemonMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_options, _cursor, _metrics, _logger) = (options, cursor, metrics, logger);
        Name = NotifyOptions.NameOf(options, index);
        _quiet = QuietHours.Of(options.Quiet, out _);
        _delivery = Delivery(options, time);
        _state = Read();
        _reminding = RemindAsync(time);
    }

    public string Name { get; }

    public long Told => _state.Sequence;

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
                Keep();
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(_state.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture));

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
        await _reminding;
        _delivery.Dispose();
        _stopping.Dispose();
        _turn.Dispose();
    }

    private async Task TellAsync(GroupEvent group, long sequence, CancellationToken cancellationToken)
    {
        Notification? told = _state.Told.GetValueOrDefault(group.Id);
        bool isNews = group.State == GroupState.Closed
            ? told is not null && _options.Resolved
            : (told is null || Rank(told.Severity) < group.Severity) && IsWanted(group);

        if (!isNews)
        {
            if (group.State == GroupState.Closed)
            {
                _state.Told.Remove(group.Id);
            }

            return;
        }

        Notification notification = Notification.Of(group, sequence, _options.Page);

        if (told is null)
        {
            // Of what was kept back before it is the first that is heard.
            notification = notification with { State = "opened" };
        }

        try
        {
            await _delivery.SendAsync(notification, told?.Severity, cancellationToken);
        }
        catch (RefusedException refused)
        {
            _metrics.Refused(Name);
            LogMessages.NotificationRefused(_logger, Name, notification.Key, refused.Message);
        }

        if (group.State == GroupState.Closed)
        {
            _state.Told.Remove(group.Id);
        }
        else if (_state.Told.Count < ToldMax || told is not null)
        {
            _state.Told[group.Id] = notification;
        }
    }

    private bool IsWanted(GroupEvent group) =>
        group.Severity >= _options.SeverityMin
        && _quiet?.Holds(group.Time, group.Severity) != true
        && group.Members.Any(member => FileSystemName.MatchesSimpleExpression(_options.Streams, member.Stream, ignoreCase: false));

    private static IncidentSeverity Rank(string severity) => Enum.Parse<IncidentSeverity>(severity, ignoreCase: true);

    private async Task RemindAsync(TimeProvider time)
    {
        using var timer = new PeriodicTimer(ReminderInterval, time);

        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await _turn.WaitAsync(_stopping.Token);

                try
                {
                    await _delivery.RemindAsync(_state.Told.Values, _stopping.Token);
                }
                catch (Exception missed) when (missed is IOException or RefusedException)
                {
                    // The next one is a minute away, and what is told waits for its own.
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

    private State Read()
    {
        try
        {
            return File.Exists(_cursor) && JsonSerializer.Deserialize<State>(File.ReadAllBytes(_cursor), EventJson.Options) is { Told: not null } state ? state : State.Nothing;
        }
        catch (JsonException)
        {
            // Half of it was written in a power loss: what it said is sent again, under the same keys.
            return State.Nothing;
        }
    }

    /// <summary>Not synced: what a power loss takes of it is sent again.</summary>
    private void Keep()
    {
        File.WriteAllBytes(_cursor + ".tmp", JsonSerializer.SerializeToUtf8Bytes(_state, EventJson.Options));
        File.Move(_cursor + ".tmp", _cursor, overwrite: true);
    }

    /// <param name="Sequence">The entry of the journal it has got to.</param>
    /// <param name="Groups">Of which so many messages are done.</param>
    /// <param name="Told">What was told last of each cause that goes on.</param>
    private sealed record State(long Sequence, int Groups, Dictionary<string, Notification> Told)
    {
        public static State Nothing => new(-1, 0, []);
    }
}
