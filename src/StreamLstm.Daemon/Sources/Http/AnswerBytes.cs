using Microsoft.AspNetCore.Http;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>An answer that was put into bytes before.</summary>
internal sealed class AnswerBytes(byte[] bytes, int status, string contentType = "application/json; charset=utf-8") : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        httpContext.Response.ContentType = contentType;
        httpContext.Response.ContentLength = bytes.Length;
        await httpContext.Response.Body.WriteAsync(bytes, httpContext.RequestAborted);
    }
}
